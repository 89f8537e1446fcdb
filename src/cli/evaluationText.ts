import type { Evaluation } from '../container/evaluate/evaluation';
import { countText, engineText, factLines, tableLines } from './format';
import { plain } from './text';

const SPLIT_TEXT: Record<Exclude<Evaluation['split'], 'all'>, string> = {
  val: 'validation split',
  train: 'training split',
};

/** Which images were scored, and how to score the others. */
function imagesText({ split, images, of_images, skipped, images_changed }: Evaluation): string {
  const skippedText = skipped === 0 ? '' : `; ${skipped} skipped`;
  if (split === 'all') {
    return `all ${countText(of_images, 'image')} of the folder${skippedText}`;
  }
  const changed = images_changed
    ? '; images were added or removed since the run, so its split was another and it may have trained on some of these'
    : '';
  const share = `${SPLIT_TEXT[split]}, ${images.toLocaleString('en')} of ${countText(of_images, 'image')}`;
  return `${share}; --split all scores all${skippedText}${changed}`;
}

/** What a checkpoint scored, for people. */
export function evaluationLines(checkpoint: string, evaluation: Evaluation): string[] {
  const { images, correct, accuracy, loss, classes } = evaluation;
  return [
    plain(checkpoint),
    ...factLines([
      ['Accuracy', `${accuracy.toFixed(4)} (${correct} of ${countText(images, 'image')})`],
      ['Loss', loss.toFixed(4)],
      ['Images', imagesText(evaluation)],
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
