import type { SweepRecord } from '../../protocol/sweep';
import { isSweepFinal, tallyOf } from '../../protocol/sweep';
import { ITEM_WORDS } from '../contributions';
import { escapeMarkdown, formatPercent } from '../format';
import type { ItemFacts } from '../history/runItem';
import { formatTime } from '../history/runItem';

/** How the history shows a sweep. */
export function sweepItem(sweep: SweepRecord): ItemFacts {
  const { ended, failed, total, best } = tallyOf(sweep);
  const label = `${formatTime(sweep.createdAt)} sweep`;
  const over = sweep.axes.map(({ name }) => name).join(' × ');
  // What changes comes first: a narrow side bar cuts the end off.
  const description = [
    `${ended}/${total}`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(best === null ? [] : [`best ${formatPercent(best)}`]),
    over,
  ].join(' · ');
  const lines = [
    ['Sweep', sweep.sweepId],
    ['State', sweep.state],
    ['Containers', String(sweep.jobs)],
    ['Target', sweep.target],
    ...sweep.axes.map(({ name, values }) => [name, values.map(String).join(', ')]),
    ...(sweep.problem === undefined ? [] : [['Problem', sweep.problem]]),
  ];
  const isOver = isSweepFinal(sweep);
  return {
    label,
    description,
    tooltip: lines
      .map(([name = '', text = '']) => `**${escapeMarkdown(name)}:** ${escapeMarkdown(text)}`)
      .join('  \n'),
    icon: isOver
      ? { id: 'list-tree', color: failed > 0 ? 'testing.iconFailed' : 'testing.iconPassed' }
      : { id: 'loading~spin' },
    contextValue: `${ITEM_WORDS.sweep} ${isOver ? ITEM_WORDS.ended : ITEM_WORDS.live}`,
    accessibilityLabel: `${label}, ${sweep.state}, ${description}`,
  };
}
