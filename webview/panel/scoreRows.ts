import type { MetricsRow, RunView } from '../../src/protocol/runView';
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

type Place = { at: number } | { underWay: number; names: string };

/**
 * Rows of metrics with their places in epochs. Those that say no more than that they came while an epoch was under way
 * are spread over it: up to its end where the code tells them before what it says of the whole epoch, and from the end of
 * the one before where it tells them after that.
 */
function metricsByEpoch({ epochs, metrics }: RunView): [number, Record<string, number>][] {
  const endedBefore = (seq: number): number =>
    epochs.reduce((latest, row) => (row.seq < seq ? Math.max(latest, row.epoch) : latest), 0);
  const placeOf = ({ epoch, step, steps, values, seq }: MetricsRow): Place => {
    if (epoch !== undefined && step === 0) {
      return { at: epoch };
    }
    const ended = endedBefore(seq);
    const before = epoch === undefined ? ended : Math.max(epoch - 1, Math.min(epoch, ended));
    return steps > 0
      ? { at: (epoch === undefined ? ended : epoch - 1) + step / steps }
      : { underWay: before, names: Object.keys(values).join() };
  };
  const places = metrics.map(placeOf);
  const keyOf = (place: Place): string => ('at' in place ? '' : `${place.underWay} ${place.names}`);
  const sharing = new Map<string, number>();
  for (const key of places.map(keyOf)) {
    sharing.set(key, (sharing.get(key) ?? 0) + 1);
  }
  const first = places.find((place) => 'underWay' in place);
  const comesBefore = first !== undefined && 'underWay' in first && first.underWay === 0;
  const turns = new Map<string, number>();
  return places.map((place, index) => {
    const values = metrics[index]?.values ?? {};
    if ('at' in place) {
      return [place.at, values];
    }
    const key = keyOf(place);
    const turn = (turns.get(key) ?? 0) + 1;
    turns.set(key, turn);
    return [place.underWay + (comesBefore ? turn : turn - 1) / (sharing.get(key) ?? 1), values];
  });
}
