import type { RunRecord } from '../../protocol/run';
import { isFinal } from '../../protocol/run';
import { LocalTarget } from '../../targets/local/localTarget';
import { ContainerStartError } from '../../targets/target';
import { OutputsVolume } from '../../volume/outputsVolume';
import type { CliContext, Command } from '../command';
import { ExitCode } from '../errors';
import { dateText, durationText, tableLines } from '../format';
import { volumeUpToDate } from '../history';
import type { Settings } from '../settings';
import { numberValue } from '../settings';
import { jsonLine, plain } from '../text';
import { exists } from '../workplace';

const LIMIT = {
  name: 'limit',
  type: 'integer',
  default: 20,
  minimum: 0,
  description: 'How many runs to list; 0: all',
} as const;

export const runsCommand: Command = {
  name: 'runs',
  summary: 'List the runs of the outputs volume, newest first',
  details: [
    'Needs no container. A target that is elsewhere is asked for what is new; where it does not answer, what is known ' +
      'of it here is listed. With --json: one array, with every run as its run.json has it and its folder.',
  ],
  options: [{ spec: LIMIT }],
  run: async (context, { settings, given }) => {
    const { terminal } = context;
    await settleInterrupted(context, settings);
    const volume = await volumeUpToDate(context, settings);
    const all = await volume.listRuns();
    const limit = numberValue(given, LIMIT);
    const shown = limit === 0 ? all : all.slice(0, limit);
    if (settings.json) {
      terminal.line(jsonLine(shown.map(({ record, dir }) => ({ ...record, dir }))));
      return ExitCode.done;
    }
    if (all.length === 0) {
      terminal.line(`There is no run in ${plain(volume.root)} yet.`);
      return ExitCode.done;
    }
    for (const line of runTable(shown.map(({ record }) => record))) {
      terminal.line(line);
    }
    if (shown.length < all.length) {
      terminal.message(`${all.length - shown.length} older runs are not shown: see --limit.`);
    }
    return ExitCode.done;
  },
};

/** The lines of a table of runs. */
export function runTable(records: readonly RunRecord[]): string[] {
  return tableLines(
    [
      { title: 'RUN' },
      { title: 'STATE' },
      { title: 'VAL ACC', align: 'right' },
      { title: 'EPOCHS', align: 'right' },
      { title: 'DURATION', align: 'right' },
      { title: 'START' },
      { title: 'DATE' },
    ],
    records.map((record) => [
      record.runId,
      record.newer === true ? `${record.state} (newer)` : record.state,
      record.best?.val_acc.toFixed(4) ?? '',
      epochs(record),
      record.endedAt === undefined
        ? ''
        : durationText(Math.max(0, Date.parse(record.endedAt) - Date.parse(record.createdAt))),
      record.start,
      dateText(new Date(record.createdAt)),
    ]),
  );
}

/** Epochs, or steps, that were finished, as far as the record tells, of those that were asked for. */
function epochs({ state, params, checkpoints, best }: RunRecord): string {
  const asked = params.epochs;
  if (typeof params.steps === 'number') {
    const steps = Math.max(0, ...checkpoints.map(({ step = 0 }) => step));
    return `${steps}/${params.steps} steps`;
  }
  if (typeof asked !== 'number') {
    return '';
  }
  const done =
    state === 'completed'
      ? asked
      : Math.max(0, best?.epoch ?? 0, ...checkpoints.map((checkpoint) => checkpoint.epoch));
  return `${done}/${asked}`;
}

/** Runs that a dead container left are marked as failed, unless the volume can only be read. */
async function settleInterrupted({ bundleDir }: CliContext, settings: Settings): Promise<void> {
  const { outputsDir, dataDir, target } = settings;
  if (target.kind !== 'local' || !(await exists(outputsDir))) {
    return;
  }
  const open = (await new OutputsVolume(outputsDir).listRuns()).some(({ record }) => !isFinal(record.state));
  if (!open) {
    return;
  }
  try {
    await LocalTarget.open({ bundleDir, outputsDir, dataDir }).settle();
  } catch (error) {
    if (!(error instanceof ContainerStartError)) {
      throw error;
    }
  }
}
