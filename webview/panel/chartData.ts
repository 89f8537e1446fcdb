import type { RunView } from '../../src/protocol/runView';
import { bestEpoch, countsSteps } from '../../src/protocol/runView';
import { formatCount, formatLoss, formatPercent, formatRate, humanName } from '../shared/format';
import { EPOCH_METRICS, scoreRows } from './scoreRows';

type Column = (number | null)[];

/** One row for each point in time that any curve has; `x` counts epochs or steps, null where a curve has no point. */
export interface ChartData {
  x: number[];
  stepLoss: Column;
  trainLoss: Column;
  valLoss: Column;
  trainAcc: Column;
  valAcc: Column;
  lr: Column;
  /** Metrics that only some recipes have, by name. */
  others: Map<string, Column>;
}

type Curve = Exclude<keyof ChartData, 'x' | 'others'>;
const CURVES = ['stepLoss', 'trainLoss', 'valLoss', 'trainAcc', 'valAcc', 'lr'] as const;

/** The metrics that have a curve of their own in the charts of every run. */
const KNOWN: Readonly<Record<string, Curve>> = {
  train_loss: 'trainLoss',
  val_loss: 'valLoss',
  train_acc: 'trainAcc',
  val_acc: 'valAcc',
  lr: 'lr',
};

/** Said in the table only. */
const UNCHARTED: ReadonlySet<string> = new Set(['images_per_second', 'time_s']);

/** Joins the curves of a run over one axis, so that one cursor fits all charts. */
export function chartData(view: RunView): ChartData {
  const data: ChartData = {
    x: [],
    stepLoss: [],
    trainLoss: [],
    valLoss: [],
    trainAcc: [],
    valAcc: [],
    lr: [],
    others: new Map(),
  };
  let next = 0;
  const addSteps = (until: number) => {
    for (let point = view.losses[next]; point !== undefined && point.x <= until; point = view.losses[next]) {
      if (point.x < until) {
        push(data, point.x, { stepLoss: point.loss });
      }
      next += 1;
    }
  };
  for (const { x, values } of scoreRows(view)) {
    addSteps(x);
    const last = view.losses[next - 1];
    const point: Point = { stepLoss: last?.x === x ? last.loss : null };
    for (const [name, value] of Object.entries(values)) {
      const curve = KNOWN[name];
      if (curve !== undefined) {
        point[curve] = value;
      }
    }
    push(data, x, point);
    for (const [name, value] of Object.entries(values)) {
      if (KNOWN[name] === undefined && !UNCHARTED.has(name)) {
        const column = data.others.get(name) ?? [];
        data.others.set(name, column);
        fillTo(column, data.x.length - 1);
        column.push(value);
      }
    }
  }
  addSteps(Infinity);
  for (const column of data.others.values()) {
    fillTo(column, data.x.length);
  }
  return data;
}

type Point = Partial<Record<Curve, number | null>>;

function fillTo(column: Column, length: number): void {
  while (column.length < length) {
    column.push(null);
  }
}

function push(data: ChartData, x: number, point: Point): void {
  data.x.push(x);
  for (const name of CURVES) {
    data[name].push(point[name] ?? null);
  }
}

/** Index of the row nearest to `index` that has a value in `column`, the earlier of two as near; null if none has. */
export function nearestIndex(column: ArrayLike<number | null | undefined>, index: number): number | null {
  for (let distance = 0; distance < column.length; distance += 1) {
    for (const candidate of [index - distance, index + distance]) {
      if (typeof column[candidate] === 'number') {
        return candidate;
      }
    }
  }
  return null;
}

/** Where the axis ends: at the run's planned epochs or steps, so that curves grow into a frame that stays. */
export function axisEnd(view: RunView): number {
  const reached = Math.max(1, view.losses.at(-1)?.x ?? 0, scoreRows(view).at(-1)?.x ?? 0);
  return countsSteps(view) ? (plannedSteps(view) ?? reached) : Math.max(plannedEpochs(view), reached);
}

/** Steps that the run is to take, if it is one that counts steps. */
export function plannedSteps(view: RunView): number | undefined {
  const planned = view.step?.span === 'run' ? view.step.steps : (view.metrics[0]?.steps ?? view.params.steps);
  return typeof planned === 'number' && planned >= 1 ? planned : undefined;
}

/** Epochs that the run is to take. */
export function plannedEpochs(view: RunView): number {
  const told = [view.step?.epochs, view.epochs.at(-1)?.epochs, view.params.epochs];
  const planned = told.find((epochs) => typeof epochs === 'number' && epochs > 0);
  return typeof planned === 'number' && planned >= 1 ? planned : 1;
}

/** Range of the loss axis: from 0 unless that would press the curves together, with some air above. */
export function lossRange(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) {
    return [0, 1];
  }
  const air = Math.max((high - low) * 0.06, Math.abs(high) * 0.01, 1e-6);
  return [low >= 0 && low < high * 0.6 ? 0 : low - air, high + air];
}

/** Range of the accuracy axis: all of the data with some air, never outside 0 to 1. */
export function accuracyRange(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) {
    return [0, 1];
  }
  if (isInHundreds(high)) {
    return [Math.max(0, Math.floor((low - 2) / 5) * 5), Math.min(100, Math.ceil((high + 2) / 5) * 5)];
  }
  const air = Math.max(0.02, (high - low) * 0.1);
  return [Math.max(0, Math.floor((low - air) * 20) / 20), Math.min(1, Math.ceil((high + air) * 20) / 20)];
}

/** The run's curves in a sentence, for those who do not see them. */
export function describeCurves(view: RunView): string {
  if (countsSteps(view)) {
    return describeMetrics(view);
  }
  const last = view.epochs.at(-1);
  const best = bestEpoch(view);
  if (last === undefined) {
    return 'No epoch has ended yet.';
  }
  const scores = [
    ...(last.train_loss === undefined ? [] : [`train loss ${formatLoss(last.train_loss)}`]),
    ...(last.val_loss === undefined ? [] : [`validation loss ${formatLoss(last.val_loss)}`]),
    ...(last.val_acc === undefined ? [] : [`validation accuracy ${formatAccuracy(last.val_acc)}`]),
  ];
  const planned = last.epochs === 0 ? '' : ` of ${last.epochs}`;
  const top = best === undefined ? '' : `; best ${formatAccuracy(best.val_acc)} at epoch ${best.epoch}`;
  return `After epoch ${last.epoch}${planned}: ${scores.join(', ')}${top}.`;
}

function describeMetrics(view: RunView): string {
  const last = view.metrics.at(-1);
  if (last === undefined) {
    return 'Too few steps are done yet.';
  }
  const planned = last.steps === 0 ? '' : ` of ${formatCount(last.steps)}`;
  const values = Object.entries(last.values).map(
    ([name, value]) => `${metricTitle(name).toLowerCase()} ${metricText(name, value)}`,
  );
  return `After step ${formatCount(last.step)}${planned}: ${values.join(', ')}.`;
}

const TITLES: Readonly<Record<string, string>> = {
  lr: 'Learning rate',
  images_per_second: 'Images/s',
  time_s: 'Time',
};

/** A metric's name as people read it: "Train loss", "Learning rate". */
export function metricTitle(name: string): string {
  return TITLES[name] ?? humanName(name);
}

/** A metric's value as people write it. */
export function metricText(name: string, value: number): string {
  switch (name) {
    case 'lr':
      return formatRate(value);
    case 'images_per_second':
      return formatCount(value);
    case 'time_s':
      return `${value.toFixed(value < 10 ? 2 : 1)} s`;
    default:
      return name.endsWith('_acc') ? formatAccuracy(value) : formatLoss(value);
  }
}

/** An accuracy as a percentage; code that counts in hundreds is understood. */
export function formatAccuracy(value: number): string {
  return isInHundreds(value) ? `${value.toFixed(1)}%` : formatPercent(value);
}

/** No accuracy of 0 to 1 is that high. */
function isInHundreds(value: number): boolean {
  return value > 1.5;
}

/** A row of the table that says what the curves say. */
export interface TableRow {
  /** Epoch or step. */
  place: string;
  x: number;
  cells: string[];
}

/** Titles and rows of the table that says what the curves say, newest row last. */
export function scoresTable(view: RunView): { columns: string[]; rows: TableRow[] } {
  const bySteps = countsSteps(view);
  // A place within an epoch has no row of its own name.
  const rows = scoreRows(view).filter(({ x }) => bySteps || Number.isInteger(x));
  const given = new Set(rows.flatMap(({ values }) => Object.keys(values)));
  const own = bySteps ? [] : EPOCH_METRICS.filter((name) => view.entrypoint === null || given.has(name));
  const names = [...new Set<string>([...own, ...given])];
  return {
    columns: [bySteps ? 'Step' : 'Epoch', ...names.map(metricTitle)],
    rows: rows.map(({ x, values }) => ({
      place: formatCount(x),
      x,
      cells: names.map((name) => {
        const value = values[name];
        return value === undefined ? '' : metricText(name, value);
      }),
    })),
  };
}
