import type { RunView } from '../../src/protocol/runView';
import { countsSteps } from '../../src/protocol/runView';

/** What was measured at one point of the run's axis, by the metric's name. */
export interface ScoreRow {
  /** In epochs or in steps, as the run counts. */
  x: number;
  values: Record<string, number>;
}

/** The metrics of an epoch, in the order of the table. */
export const EPOCH_METRICS = [
  'train_loss',
  'val_loss',
  'train_acc',
  'val_acc',
  'lr',
  'images_per_second',
  'time_s',
] as const;

/** Everything that was measured, joined by its place on the axis, from its beginning. */
export function scoreRows(view: RunView): ScoreRow[] {
  const rows = new Map<number, Record<string, number>>();
  const add = (x: number, values: Record<string, number>): void => {
    rows.set(x, { ...rows.get(x), ...values });
  };
  const bySteps = countsSteps(view);
  if (bySteps) {
    view.metrics.forEach(({ step, values }, index) => add(step === 0 ? index + 1 : step, values));
  } else {
    for (const row of view.epochs) {
      const known = EPOCH_METRICS.flatMap((name) => {
        const value = row[name];
        return value === undefined ? [] : [[name, value] as const];
      });
      add(row.epoch, Object.fromEntries(known));
    }
    for (const [x, values] of metricsByEpoch(view)) {
      add(x, values);
    }
  }
  return [...rows].map(([x, values]) => ({ x, values })).sort((one, other) => one.x - other.x);
}

/** Rows of metrics with their places in epochs. */
function metricsByEpoch({ epochs, metrics }: RunView): [number, Record<string, number>][] {
  // Those that name no epoch came after the last epoch that had ended then, and share the place up to the next.
  const endedBefore = (seq: number): number =>
    epochs.reduce((latest, row) => (row.seq < seq ? Math.max(latest, row.epoch) : latest), 0);
  const sharing = new Map<number, number>();
  const placed = metrics.map((row) => {
    const { epoch, step, steps, values } = row;
    if (epoch !== undefined) {
      return { base: steps > 0 && step > 0 ? epoch - 1 + step / steps : epoch, turn: 0, values };
    }
    const ended = endedBefore(row.seq);
    if (steps > 0) {
      return { base: ended + step / steps, turn: 0, values };
    }
    const turn = (sharing.get(ended) ?? 0) + 1;
    sharing.set(ended, turn);
    return { base: ended, turn, values };
  });
  return placed.map(({ base, turn, values }) => [
    turn === 0 ? base : base + turn / ((sharing.get(base) ?? 0) + 1),
    values,
  ]);
}
