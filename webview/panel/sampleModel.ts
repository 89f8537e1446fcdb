import type { Sample } from '../../src/protocol/run';
import { counted, formatCount } from '../shared/format';

/** Which grid is shown: the chosen one as long as it is there, else the newest; -1 without any. */
export function shownIndex(samples: readonly Sample[], chosen: string | null): number {
  const index = chosen === null ? -1 : samples.findIndex(({ file }) => file === chosen);
  return index === -1 ? samples.length - 1 : index;
}

/** What the rows of a grid show: "Row 1: cat · Row 2: other"; the classes alone where a row has several. */
export function classRows({ labels, columns }: Sample): string {
  const rows: string[][] = [];
  for (let start = 0; start < labels.length; start += columns) {
    rows.push([...new Set(labels.slice(start, start + columns))]);
  }
  return rows.every((row) => row.length === 1)
    ? rows.map(([name = ''], index) => `Row ${index + 1}: ${name}`).join(' · ')
    : [...new Set(labels)].join(', ');
}

/** A grid in a sentence, for those who do not see it. */
export function describeSample({ step, labels }: Sample): string {
  const names = [...new Set(labels)];
  const counts = names.map((name) => `${labels.filter((label) => label === name).length} of ${name}`);
  return `${counted(labels.length, 'generated image')} after step ${formatCount(step)}: ${counts.join(', ')}.`;
}
