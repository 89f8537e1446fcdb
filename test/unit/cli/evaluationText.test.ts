import assert from 'node:assert/strict';
import type { Evaluation } from '../../../src/container/evaluate/evaluation';
import { evaluationLines } from '../../../src/cli/evaluationText';

describe('the score of a checkpoint, as text', () => {
  it('has accuracy, loss, classes and the confusion matrix', () => {
    const evaluation: Evaluation = {
      images: 5,
      correct: 4,
      accuracy: 0.8,
      loss: 0.4321,
      classes: [
        { name: 'cat', images: 5, correct: 4, accuracy: 0.8 },
        { name: 'other', images: 0, correct: 0, accuracy: null },
      ],
      confusion: [
        [4, 1],
        [0, 0],
      ],
      skipped: 2,
      split: 'val',
      of_images: 25,
      images_changed: false,
      engine: 'wasm',
      device: '2 cores',
    };
    assert.deepEqual(evaluationLines('best.safetensors', evaluation), [
      'best.safetensors',
      'Accuracy  0.8000 (4 of 5 images)',
      'Loss      0.4321',
      'Images    validation split, 5 of 25 images; --split all scores all; 2 skipped',
      'Engine    wasm (2 cores)',
      '',
      'CLASS  IMAGES  CORRECT  ACCURACY',
      'cat         5        4    0.8000',
      'other       0        0         -',
      '',
      'Confusion matrix: a row for each class, a column for each prediction.',
      '       cat  other',
      'cat      4      1',
      'other    0      0',
    ]);
    const changed = evaluationLines('best.safetensors', { ...evaluation, images_changed: true }).join('\n');
    assert.match(changed, /images were added or removed since the run, so its split was another/);
    const all = evaluationLines('best.safetensors', { ...evaluation, split: 'all', skipped: 0 });
    assert.equal(all[3], 'Images    all 25 images of the folder');
  });
});
