import type { LogLevel, Phase, RunEvent } from './events';
import type { ParameterValues } from './parameters';
import type { Checkpoint, RunResult, RunState, Sample, StartKind } from './run';
import { checkpointOf } from './run';

export interface LogLine {
  seq: number;
  time: number;
  level: LogLevel;
  text: string;
}

export type EpochRow = Extract<RunEvent, { type: 'epoch' }>;
export type MetricsRow = Extract<RunEvent, { type: 'metrics' }>;
export type StepProgress = Extract<RunEvent, { type: 'step' }>;
export type DatasetFacts = Extract<RunEvent, { type: 'dataset' }>;

/** Everything a panel shows of one run. Plain data: it crosses to the webview as it is. */
export interface RunView {
  runId: string;
  recipe: string;
  params: ParameterValues;
  engine: string;
  device: string;
  start: StartKind;
  state: RunState;
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
  /** Averages over steps, of a run that counts steps. */
  metrics: MetricsRow[];
  /** The newest grids of generated images, at most MAX_SAMPLES, oldest first. */
  samples: Sample[];
  checkpoints: Checkpoint[];
  /** The newest lines, at most MAX_LOG_LINES; the run's training.log has them all. */
  log: LogLine[];
  droppedLogLines: number;
  result: RunResult | null;
  lastSeq: number;
}

export const MAX_LOG_LINES = 5000;
const MAX_LOSSES = 4000;
export const MAX_SAMPLES = 50;
/** Rows of metrics that are kept; of more every other one goes. */
const MAX_METRICS = 2000;

export function emptyRunView(runId: string): RunView {
  return {
    runId,
    recipe: '',
    params: {},
    engine: '',
    device: '',
    start: 'cold',
    state: 'queued',
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
    samples: [],
    checkpoints: [],
    log: [],
    droppedLogLines: 0,
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
      break;
    case 'resumed':
      cutBack(view, event);
      break;
    case 'phase':
      view.phases.push(event.phase);
      break;
    case 'log':
      view.log.push({ seq: event.seq, time: event.time, level: event.level, text: event.text });
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
      view.losses.push({ x: position(event), loss: event.loss });
      if (view.losses.length > MAX_LOSSES) {
        view.losses = view.losses.filter((_, index) => index % 2 === 1);
      }
      break;
    case 'epoch':
      view.epochs.push(event);
      break;
    case 'metrics':
      view.metrics.push(event);
      if (view.metrics.length > MAX_METRICS) {
        view.metrics = view.metrics.filter((_, index) => index % 2 === 1);
      }
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
        ...(event.error === undefined ? {} : { error: event.error }),
      };
      break;
  }
}

/** Whether the run is measured in steps rather than epochs. */
export function countsSteps(view: RunView): boolean {
  return view.step?.span === 'run' || view.metrics.length > 0;
}

/** Where a progress event is on the axis of its run: in epochs, or in steps. */
function position({ span, epoch, step, steps }: StepProgress): number {
  return span === 'run' ? step : epoch - 1 + step / steps;
}

/** Forgets what is lost: the same steps and epochs will come again. */
function cutBack(view: RunView, { epoch, step }: { epoch: number; step: number }): void {
  const last = view.step;
  view.epochs = view.epochs.filter((row) => row.epoch <= epoch);
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
  if (last.span === 'run') {
    view.metrics = view.metrics.filter((row) => row.step <= step);
  }
}

/** The best epoch so far by validation accuracy, the earliest of equals. */
export function bestEpoch(view: RunView): EpochRow | undefined {
  return view.epochs.reduce<EpochRow | undefined>(
    (best, row) => (best === undefined || row.val_acc > best.val_acc ? row : best),
    undefined,
  );
}

/** Share of the training that is done, 0 to 1. */
export function progress(view: RunView): number {
  const { step } = view;
  return step === null ? 0 : position(step) / (step.span === 'run' ? step.steps : step.epochs);
}

/** Estimated time left of a training run in milliseconds, from its pace since the first step; null if unknown. */
export function timeLeftMs(view: RunView, now: number): number | null {
  const done = progress(view);
  if (view.firstStepAt === null || view.step === null || done <= 0 || view.endedAt !== null) {
    return null;
  }
  const paceMs = (view.step.time - view.firstStepAt) / done;
  return Math.max(0, paceMs * (1 - done) - Math.max(0, now - view.step.time));
}
