import type { SweepRecord, Trial } from '../protocol/sweep';
import { ranking, tallyOf } from '../protocol/sweep';
import { countText, durationText, tableLines } from './format';
import { plain } from './text';

/** The comparison: a row for each training, the best first. */
export function comparisonLines({ axes, trials }: Pick<SweepRecord, 'axes' | 'trials'>): string[] {
  const columns = [
    ...axes.map(({ name }) => ({ title: name.toUpperCase() })),
    { title: 'VAL ACC', align: 'right' as const },
    { title: 'LOSS', align: 'right' as const },
    { title: 'EPOCHS', align: 'right' as const },
    { title: 'DURATION', align: 'right' as const },
    { title: 'STATE' },
    { title: 'RUN' },
  ];
  const rows = ranking(trials).flatMap((index) => {
    const trial = trials[index];
    return trial === undefined ? [] : [row(axes, trial)];
  });
  return tableLines(columns, rows);
}

function row(axes: SweepRecord['axes'], trial: Trial): string[] {
  return [
    ...axes.map(({ name }) => plain(String(trial.values[name] ?? ''))),
    trial.best === null ? '' : trial.best.toFixed(4),
    trial.loss === null ? '' : trial.loss.toFixed(4),
    trial.epochs === 0 ? '' : `${trial.curve.length}/${trial.epochs}`,
    durationOf(trial),
    trial.state,
    trial.runId ?? '',
  ];
}

function durationOf({ startedAt, endedAt }: Trial): string {
  return startedAt === undefined || endedAt === undefined
    ? ''
    : durationText(Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)));
}

/** "2 of 6 done, 2 training, best val acc 0.9125" */
export function tallyText(sweep: Pick<SweepRecord, 'trials'>): string {
  const { ended, failed, running, total, best } = tallyOf(sweep);
  return [
    `${ended} of ${countText(total, 'training')} done`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(running === 0 ? [] : [`${running} training`]),
    ...(best === null ? [] : [`best val acc ${best.toFixed(4)}`]),
  ].join(', ');
}
