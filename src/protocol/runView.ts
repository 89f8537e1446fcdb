import type { HeldMemory, LogLevel, Phase, RunEvent, RunEventBody } from './events';
import { RESTORE_PHASE } from './events';
import type { ParameterValues } from './parameters';
import type { Checkpoint, Location, RunResult, RunState, Sample, SourceFile, StartKind } from './run';
import { checkpointOf } from './run';

export interface LogLine {
  seq: number;
  time: number;
  level: LogLevel;
  text: string;
  /** A line of the user's code that it is about. */
  location?: Location;
}

/** How busy the GPU was at a time, milliseconds since the epoch; null where that is not known. */
export interface DeviceSample {
  time: number;
  /** 0 to 1. */
  utilisation: number | null;
  memoryUsedBytes: number | null;
  memoryTotalBytes: number | null;
}

export type EpochRow = Extract<RunEvent, { type: 'epoch' }>;
export type MetricsRow = Extract<RunEvent, { type: 'metrics' }>;
export type StepProgress = Extract<RunEvent, { type: 'step' }>;
export type DatasetFacts = Extract<RunEvent, { type: 'dataset' }>;

/** Everything a panel shows of one run. Plain data: it crosses to the webview as it is. */
export interface RunView {
  runId: string;
  recipe: string;
  /** The user's own code, as in `Program`; null of our own recipes. */
  entrypoint: string | null;
  params: ParameterValues;
  engine: string;
  device: string;
  start: StartKind;
  state: RunState;
  /** Why it is in this state, where there is more to say: what it waits for, when it is tried again. */
  stateMessage: string;
  /** When a run that waits to be tried again is, milliseconds since the epoch; null if it does not wait. */
  retryAt: number | null;
  /** Time of the first event, milliseconds since the epoch. */
  createdAt: number;
  /** Time of the first training step's end. */
  firstStepAt: number | null;
  timeToFirstStepMs: number | null;
  endedAt: number | null;
  phases: Phase[];
  dataset: DatasetFacts | null;
  epochs: EpochRow[];
  /** The newest progress. */
  step: StepProgress | null;
  /**
   * Training loss at each progress event. Of a run that counts epochs x is in epochs, e.g. 1.5 in the middle of the
   * second, of one that counts steps in steps.
   */
  losses: { x: number; loss: number }[];
  /** Averages over steps, of a run that counts steps, and what the user's own code told of. */
  metrics: MetricsRow[];
  /** At most MAX_DEVICE_SAMPLES over the whole run, oldest first. */
  deviceSamples: DeviceSample[];
  /** The newest grids of generated images, at most MAX_SAMPLES, oldest first. */
  samples: Sample[];
  checkpoints: Checkpoint[];
  /** The newest lines, at most MAX_LOG_LINES; the run's training.log has them all. */
  log: LogLine[];
  droppedLogLines: number;
  /** The user's own files that it executed. */
  files: SourceFile[];
  /** Memory that the container holds since an earlier run. */
  heldMemory: HeldMemory | null;
  /** Why what the enter hook made is out of date. */
  restartNeeded: string | null;
  result: RunResult | null;
  lastSeq: number;
}

export const MAX_LOG_LINES = 5000;
const MAX_LOSSES = 4000;
export const MAX_SAMPLES = 50;
/** Rows of metrics that are kept; of more every other one goes. */
const MAX_METRICS = 2000;
/** Samples of the device that are kept; of more every other one goes. */
export const MAX_DEVICE_SAMPLES = 1000;

export function emptyRunView(runId: string): RunView {
  return {
    runId,
    recipe: '',
    entrypoint: null,
    params: {},
    engine: '',
    device: '',
    start: 'cold',
    state: 'queued',
    stateMessage: '',
    retryAt: null,
    createdAt: 0,
    firstStepAt: null,
    timeToFirstStepMs: null,
    endedAt: null,
    phases: [],
    dataset: null,
    epochs: [],
    step: null,
    losses: [],
    metrics: [],
    deviceSamples: [],
    samples: [],
    checkpoints: [],
    log: [],
    droppedLogLines: 0,
    files: [],
    heldMemory: null,
    restartNeeded: null,
    result: null,
    lastSeq: 0,
  };
}

/**
 * Applies the next event to `view`, in place. An event that was applied before is ignored.
 * @throws Error if an event is missing between the last one and this one: the caller has to ask for a replay
 */
export function applyEvent(view: RunView, event: RunEvent): void {
  if (event.seq <= view.lastSeq) {
    return;
  }
  if (event.seq !== view.lastSeq + 1) {
    throw new Error(`run ${view.runId}: event ${view.lastSeq + 1} is missing before ${event.seq}`);
  }
  view.lastSeq = event.seq;
  switch (event.type) {
    case 'run':
      view.recipe = event.recipe;
      view.entrypoint = event.entrypoint ?? null;
      view.params = event.params;
      view.start = event.start;
      view.createdAt = event.time;
      break;
    case 'engine':
      view.engine = event.engine;
      view.device = event.device;
      break;
    case 'state':
      view.state = event.state;
      view.stateMessage = event.message ?? '';
      view.retryAt = event.retryInMs === undefined ? null : event.time + event.retryInMs;
      break;
    case 'resumed':
      cutBack(view, event);
      break;
    case 'phase':
      view.phases.push(event.phase);
      break;
    case 'log':
      view.log.push({
        seq: event.seq,
        time: event.time,
        level: event.level,
        text: event.text,
        ...(event.location === undefined ? {} : { location: event.location }),
      });
      if (view.log.length > MAX_LOG_LINES) {
        view.log.shift();
        view.droppedLogLines += 1;
      }
      break;
    case 'dataset':
      view.dataset = event;
      break;
    case 'first_step':
      view.firstStepAt = event.time;
      view.timeToFirstStepMs = event.time_to_first_step_ms;
      break;
    case 'step':
      view.step = event;
      if (event.loss !== undefined) {
        view.losses.push({ x: position(event), loss: event.loss });
        view.losses = bounded(view.losses, MAX_LOSSES);
      }
      break;
    case 'epoch':
      // Code that tells of training and validation apart completes a row that is there.
      view.epochs = [...view.epochs.filter((row) => row.epoch !== event.epoch), event];
      break;
    case 'metrics':
      view.metrics.push(event);
      view.metrics = bounded(view.metrics, MAX_METRICS);
      break;
    case 'device':
      view.deviceSamples.push({
        time: event.time,
        utilisation: event.utilisation ?? null,
        memoryUsedBytes: event.memoryUsedBytes ?? null,
        memoryTotalBytes: event.memoryTotalBytes ?? null,
      });
      view.deviceSamples = bounded(view.deviceSamples, MAX_DEVICE_SAMPLES);
      break;
    case 'files':
      view.files = event.files;
      break;
    case 'held_memory':
      view.heldMemory = { bytes: event.bytes, sinceRun: event.sinceRun };
      break;
    case 'restart_needed':
      view.restartNeeded = event.reason;
      break;
    case 'sample':
      view.samples = [
        ...view.samples.filter((sample) => sample.file !== event.file),
        { step: event.step, file: event.file, labels: event.labels, columns: event.columns },
      ].slice(-MAX_SAMPLES);
      break;
    case 'checkpoint':
      view.checkpoints = [
        ...view.checkpoints.filter((checkpoint) => checkpoint.file !== event.file),
        checkpointOf(event),
      ];
      break;
    case 'result':
      view.endedAt = event.time;
      view.state = event.status;
      view.result = {
        status: event.status,
        output: event.output,
        val_acc: event.val_acc,
        start: event.start,
        time_to_first_step_ms: event.time_to_first_step_ms,
        ...(event.returned === undefined ? {} : { returned: event.returned }),
        ...(event.error === undefined ? {} : { error: event.error }),
      };
      break;
  }
}

/** All of `rows`, or every other one if there are more than `most`. */
function bounded<T>(rows: T[], most: number): T[] {
  return rows.length > most ? rows.filter((_, index) => index % 2 === 1) : rows;
}

const START_WORDS: Record<StartKind | 'restored', string> = {
  cold: 'Cold start',
  warm: 'Warm start',
  restored: 'Restored from a snapshot',
};

/** How the run's container came to be warm, if it was. */
export function startKind({ start, phases }: RunView): StartKind | 'restored' {
  return start === 'warm' && phases.some(({ name }) => name === RESTORE_PHASE) ? 'restored' : start;
}

/** The kind of a run's start, as people read it. */
export function startWords(view: RunView): string {
  return START_WORDS[startKind(view)];
}

/** Whether the run is measured in steps rather than epochs. */
export function countsSteps(view: RunView): boolean {
  return (
    view.step?.span === 'run' ||
    (view.epochs.length === 0 && view.metrics.some((row) => row.epoch === undefined))
  );
}

/** Where a progress event is on the axis of its run: in epochs, or in steps. */
function position({ span, epoch, step, steps }: StepProgress): number {
  if (span === 'run') {
    return step;
  }
  return Math.max(0, epoch - 1) + (steps === 0 ? 0 : step / steps);
}

/** Forgets what is lost: the same steps and epochs will come again. */
function cutBack(view: RunView, { epoch, step }: { epoch: number; step: number }): void {
  const last = view.step;
  view.epochs = view.epochs.filter((row) => row.epoch <= epoch);
  view.metrics = view.metrics.filter((row) =>
    row.epoch === undefined ? last?.span === 'run' && row.step <= step : row.epoch <= epoch,
  );
  if (last === null) {
    return;
  }
  const reached: StepProgress =
    last.span === 'run' || step > 0
      ? { ...last, epoch: last.span === 'run' ? last.epoch : epoch + 1, step }
      : { ...last, epoch, step: last.steps };
  view.step = epoch > 0 || step > 0 ? reached : null;
  const place = view.step === null ? 0 : position(view.step);
  view.losses = view.losses.filter(({ x }) => x <= place);
}

export interface BestEpoch {
  /** 0: not known. */
  epoch: number;
  val_acc: number;
}

/** The validation accuracy that an event tells of, with its epoch; undefined if it tells of none. */
export function scoreOf(event: RunEventBody): BestEpoch | undefined {
  const [epoch, val_acc] =
    event.type === 'epoch'
      ? [event.epoch, event.val_acc]
      : event.type === 'metrics'
        ? [event.epoch ?? 0, event.values.val_acc]
        : [0, undefined];
  return val_acc === undefined ? undefined : { epoch, val_acc };
}

/** The best epoch so far by validation accuracy, the earliest of equals. */
export function bestEpoch(view: RunView): BestEpoch | undefined {
  return [...view.epochs, ...view.metrics].reduce<BestEpoch | undefined>((best, row) => {
    const score = scoreOf(row);
    return score !== undefined && (best === undefined || score.val_acc > best.val_acc) ? score : best;
  }, undefined);
}

/** Share of the training that is done, 0 to 1. */
export function progress(view: RunView): number {
  const { step } = view;
  if (step === null) {
    return 0;
  }
  const planned = step.span === 'run' ? step.steps : step.epochs;
  return planned === 0 ? 0 : position(step) / planned;
}

/** Estimated time left of a training run in milliseconds, from its pace since the first step; null if unknown. */
export function timeLeftMs(view: RunView, now: number): number | null {
  const done = progress(view);
  const stands = view.endedAt !== null || view.state === 'retrying';
  if (view.firstStepAt === null || view.step === null || done <= 0 || stands) {
    return null;
  }
  const paceMs = (view.step.time - view.firstStepAt) / done;
  return Math.max(0, paceMs * (1 - done) - Math.max(0, now - view.step.time));
}
