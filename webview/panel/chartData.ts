import type { RunView } from '../../src/protocol/runView';
import { bestEpoch, countsSteps } from '../../src/protocol/runView';
import { formatCount, formatLoss, formatPercent, formatRate, humanName } from '../shared/format';

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
  for (const { step, values } of view.metrics) {
    addSteps(step);
    const last = view.losses[next - 1];
    const point: Point = { stepLoss: last?.x === step ? last.loss : null };
    for (const [name, value] of Object.entries(values)) {
      const curve = KNOWN[name];
      if (curve !== undefined) {
        point[curve] = value;
      }
    }
    push(data, step, point);
    for (const [name, value] of Object.entries(values)) {
      if (KNOWN[name] === undefined) {
        const column = data.others.get(name) ?? [];
        data.others.set(name, column);
        fillTo(column, data.x.length - 1);
        column.push(value);
      }
    }
  }
  for (const row of view.epochs) {
    addSteps(row.epoch);
    const last = view.losses[next - 1];
    push(data, row.epoch, {
      stepLoss: last?.x === row.epoch ? last.loss : null,
      trainLoss: row.train_loss ?? null,
      valLoss: row.val_loss ?? null,
      trainAcc: row.train_acc ?? null,
      valAcc: row.val_acc ?? null,
      lr: row.lr ?? null,
    });
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
  return countsSteps(view) ? (plannedSteps(view) ?? 1) : plannedEpochs(view);
}

/** Steps that the run is to take, if it is one that counts steps. */
export function plannedSteps(view: RunView): number | undefined {
  const planned = view.step?.span === 'run' ? view.step.steps : (view.metrics[0]?.steps ?? view.params.steps);
  return typeof planned === 'number' && planned >= 1 ? planned : undefined;
}

/** Epochs that the run is to take. */
export function plannedEpochs(view: RunView): number {
  const planned = view.step?.epochs ?? view.epochs[0]?.epochs ?? view.params.epochs;
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
    ...(last.val_acc === undefined ? [] : [`validation accuracy ${formatPercent(last.val_acc)}`]),
  ];
  const planned = last.epochs === 0 ? '' : ` of ${last.epochs}`;
  const top = best === undefined ? '' : `; best ${formatPercent(best.val_acc)} at epoch ${best.epoch}`;
  return `After epoch ${last.epoch}${planned}: ${scores.join(', ')}${top}.`;
}

function describeMetrics(view: RunView): string {
  const last = view.metrics.at(-1);
  if (last === undefined) {
    return 'Too few steps are done yet.';
  }
  const values = Object.entries(last.values).map(
    ([name, value]) => `${metricTitle(name).toLowerCase()} ${metricText(name, value)}`,
  );
  return `After step ${formatCount(last.step)} of ${formatCount(last.steps)}: ${values.join(', ')}.`;
}

/** A metric's name as people read it: "Train loss", "Learning rate". */
export function metricTitle(name: string): string {
  return name === 'lr' ? 'Learning rate' : humanName(name);
}

/** A metric's value as people write it. */
export function metricText(name: string, value: number): string {
  if (name === 'lr') {
    return formatRate(value);
  }
  return name.endsWith('_acc') ? formatPercent(value) : formatLoss(value);
}

/** Titles and cells of the table that says what the curves say, newest row last. */
export function metricsTable(view: RunView): { columns: string[]; rows: string[][] } {
  const names = [...new Set(view.metrics.flatMap(({ values }) => Object.keys(values)))];
  return {
    columns: ['Step', ...names.map(metricTitle)],
    rows: view.metrics.map(({ step, values }) => [
      formatCount(step),
      ...names.map((name) => {
        const value = values[name];
        return value === undefined ? '' : metricText(name, value);
      }),
    ]),
  };
}

export const EPOCH_COLUMNS = [
  'Epoch',
  'Train loss',
  'Val loss',
  'Train acc',
  'Val acc',
  'Learning rate',
  'Images/s',
  'Time',
] as const;

/** The cells of one epoch, in the order of EPOCH_COLUMNS. */
export function epochCells(row: RunView['epochs'][number]): string[] {
  return [
    String(row.epoch),
    written(row.train_loss, formatLoss),
    written(row.val_loss, formatLoss),
    written(row.train_acc, formatPercent),
    written(row.val_acc, formatPercent),
    written(row.lr, formatRate),
    written(row.images_per_second, formatCount),
    written(row.time_s, (seconds) => `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`),
  ];
}

function written(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? '' : format(value);
}
