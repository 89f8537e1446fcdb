import type { RunView } from '../../src/protocol/runView';
import { bestEpoch } from '../../src/protocol/runView';
import { formatLoss, formatPercent, formatRate } from '../shared/format';

type Column = (number | null)[];

/** One row for each point in time that any curve has; `x` counts epochs, null where a curve has no point. */
export interface ChartData {
  x: number[];
  stepLoss: Column;
  trainLoss: Column;
  valLoss: Column;
  trainAcc: Column;
  valAcc: Column;
  lr: Column;
}

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
  for (const row of view.epochs) {
    addSteps(row.epoch);
    const last = view.losses[next - 1];
    push(data, row.epoch, {
      stepLoss: last?.x === row.epoch ? last.loss : null,
      trainLoss: row.train_loss,
      valLoss: row.val_loss,
      trainAcc: row.train_acc,
      valAcc: row.val_acc,
      lr: row.lr,
    });
  }
  addSteps(Infinity);
  return data;
}

type Point = Partial<Record<Exclude<keyof ChartData, 'x'>, number | null>>;

function push(data: ChartData, x: number, point: Point): void {
  data.x.push(x);
  for (const name of ['stepLoss', 'trainLoss', 'valLoss', 'trainAcc', 'valAcc', 'lr'] as const) {
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

/** Where the epochs' axis ends: the run's planned epochs, so that curves grow into a frame that stays. */
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
  const last = view.epochs.at(-1);
  const best = bestEpoch(view);
  if (last === undefined || best === undefined) {
    return 'No epoch has ended yet.';
  }
  return (
    `After epoch ${last.epoch} of ${last.epochs}: train loss ${formatLoss(last.train_loss)}, ` +
    `validation loss ${formatLoss(last.val_loss)}, validation accuracy ${formatPercent(last.val_acc)}; ` +
    `best ${formatPercent(best.val_acc)} at epoch ${best.epoch}.`
  );
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
    formatLoss(row.train_loss),
    formatLoss(row.val_loss),
    formatPercent(row.train_acc),
    formatPercent(row.val_acc),
    formatRate(row.lr),
    Math.round(row.images_per_second).toLocaleString('en-US'),
    `${row.time_s.toFixed(row.time_s < 10 ? 2 : 1)} s`,
  ];
}
