/**
 * What package.json contributes, said once for the code. A unit test holds the two together, and the handlers are a
 * record over these names, so that a command without one does not compile.
 */

/** `palette`: shown there; the others belong to an item of a tree or to the status bar. */
export const COMMANDS = {
  train: { id: 'tinyCats.train', palette: true },
  rerun: { id: 'tinyCats.rerun', palette: true },
  stop: { id: 'tinyCats.stop', palette: true },
  stopNow: { id: 'tinyCats.stopNow', palette: true },
  warmUp: { id: 'tinyCats.warmUp', palette: true },
  coolDown: { id: 'tinyCats.coolDown', palette: true },
  restartContainer: { id: 'tinyCats.restartContainer', palette: true },
  snapshotContainer: { id: 'tinyCats.snapshotContainer', palette: true },
  showPanel: { id: 'tinyCats.showPanel', palette: true },
  showLog: { id: 'tinyCats.showLog', palette: true },
  showActions: { id: 'tinyCats.showActions', palette: false },
  inspectCheckpoint: { id: 'tinyCats.inspectCheckpoint', palette: true },
  downloadCheckpoint: { id: 'tinyCats.downloadCheckpoint', palette: false },
  selectDataFolder: { id: 'tinyCats.selectDataFolder', palette: true },
  refreshHistory: { id: 'tinyCats.refreshHistory', palette: false },
  resumeRun: { id: 'tinyCats.resumeRun', palette: false },
  openRun: { id: 'tinyCats.openRun', palette: false },
  pinRun: { id: 'tinyCats.pinRun', palette: false },
  unpinRun: { id: 'tinyCats.unpinRun', palette: false },
  revealRun: { id: 'tinyCats.revealRun', palette: false },
  copyRunId: { id: 'tinyCats.copyRunId', palette: false },
  checkMachine: { id: 'tinyCats.checkMachine', palette: true },
  selectTarget: { id: 'tinyCats.selectTarget', palette: true },
  setModalToken: { id: 'tinyCats.setModalToken', palette: true },
  clearModalToken: { id: 'tinyCats.clearModalToken', palette: true },
  sweep: { id: 'tinyCats.sweep', palette: true },
  stopSweep: { id: 'tinyCats.stopSweep', palette: false },
  openSweep: { id: 'tinyCats.openSweep', palette: false },
  createScript: { id: 'tinyCats.createScript', palette: true },
  installEngine: { id: 'tinyCats.installEngine', palette: true },
  exportModal: { id: 'tinyCats.exportModal', palette: true },
} as const satisfies Record<string, { id: string; palette: boolean }>;
export type CommandName = keyof typeof COMMANDS;

/** `restricted`: names a folder, a place, an engine or a port; a workspace that is not trusted may not set it. */
export const SETTINGS = {
  target: { restricted: true, default: 'local' },
  targets: { restricted: true, default: [] },
  outputsFolder: { restricted: true, default: 'outputs' },
  dataFolder: { restricted: true, default: '.tiny-cats/data' },
  maxWarmTime: { restricted: false, default: 60 },
  scaledownWindow: { restricted: false, default: 5 },
  engine: { restricted: true, default: 'auto' },
  entrypoint: { restricted: true, default: '' },
  pythonInterpreter: { restricted: true, default: '' },
  metricPatterns: { restricted: true, default: [] },
  port: { restricted: true, default: 0 },
  keepCheckpointDates: { restricted: false, default: 5 },
  'retries.maxRetries': { restricted: false, default: 3 },
  'retries.backoffCoefficient': { restricted: false, default: 2 },
  'retries.initialDelay': { restricted: false, default: 10 },
  'retries.maxDelay': { restricted: false, default: 60 },
  whenBusy: { restricted: false, default: 'refuse' },
  runTimeout: { restricted: false, default: 3600 },
  stallTimeout: { restricted: false, default: 600 },
  stopStalled: { restricted: false, default: false },
  defaultParameters: { restricted: true, default: {} },
} as const satisfies Record<string, { restricted: boolean; default: unknown }>;
export type SettingName = keyof typeof SETTINGS;
export const SETTINGS_SECTION = 'tinyCats';

/** Keys of `when` and `enablement` clauses. */
export const CONTEXT_KEYS = {
  /** There is a container, or one is being started. */
  hasContainer: 'tinyCats.hasContainer',
  /** A run is queued or trains. */
  training: 'tinyCats.training',
  /** That run was told to stop and has not yet. */
  stopping: 'tinyCats.stopping',
} as const;
export type ContextKey = keyof typeof CONTEXT_KEYS;

export const VIEWS = {
  container: 'tinyCats',
  history: 'tinyCats.history',
  panel: 'tinyCats.panel',
  checkpointEditor: 'tinyCats.checkpoint',
} as const;

/** Words in the `contextValue` of tree items, by which menus choose. */
export const ITEM_WORDS = {
  run: 'run',
  checkpoint: 'checkpoint',
  remote: 'remote',
  live: 'live',
  stopping: 'stopping',
  ended: 'ended',
  pinned: 'pinned',
  unpinned: 'unpinned',
  resumable: 'resumable',
  sweep: 'sweep',
} as const;

/** Entries of one of the lists above, which have exactly the keys that their types say. */
export function namesAndValues<T extends object>(list: T): [keyof T, T[keyof T]][] {
  return Object.entries(list) as [keyof T, T[keyof T]][];
}
