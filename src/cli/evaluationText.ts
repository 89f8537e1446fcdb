import type { Evaluation } from '../container/evaluate/evaluation';
import { countText, engineText, factLines, tableLines } from './format';
import { plain } from './text';

const SPLIT_TEXT: Record<Evaluation['split'], string> = {
  all: 'all',
  val: 'those kept for validation',
  train: 'those trained on',
};

/** What a checkpoint scored, for people. */
export function evaluationLines(checkpoint: string, evaluation: Evaluation): string[] {
  const { images, correct, accuracy, loss, skipped, split, classes } = evaluation;
  const skippedText = skipped === 0 ? '' : `, ${skipped} skipped`;
  return [
    plain(checkpoint),
    ...factLines([
      ['Accuracy', `${accuracy.toFixed(4)} (${correct} of ${countText(images, 'image')})`],
      ['Loss', loss.toFixed(4)],
      ['Images', `${SPLIT_TEXT[split]}${skippedText}`],
      ['Engine', engineText(evaluation)],
    ]),
    '',
    ...tableLines(
      [
        { title: 'CLASS' },
        { title: 'IMAGES', align: 'right' },
        { title: 'CORRECT', align: 'right' },
        { title: 'ACCURACY', align: 'right' },
      ],
      classes.map((each) => [
        plain(each.name),
        String(each.images),
        String(each.correct),
        each.accuracy === null ? '-' : each.accuracy.toFixed(4),
      ]),
    ),
    '',
    'Confusion matrix: a row for each class, a column for each prediction.',
    ...tableLines(
      [{ title: '' }, ...classes.map(({ name }) => ({ title: plain(name), align: 'right' as const }))],
      classes.map(({ name }, row) => [plain(name), ...(evaluation.confusion[row] ?? []).map(String)]),
    ),
  ];
}
