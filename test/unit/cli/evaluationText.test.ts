import assert from 'node:assert/strict';
import { evaluationLines } from '../../../src/cli/evaluationText';

describe('the score of a checkpoint, as text', () => {
  it('has accuracy, loss, classes and the confusion matrix', () => {
    const lines = evaluationLines('best.safetensors', {
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
      engine: 'wasm',
      device: '2 cores',
    });
    assert.deepEqual(lines, [
      'best.safetensors',
      'Accuracy  0.8000 (4 of 5 images)',
      'Loss      0.4321',
      'Images    those kept for validation, 2 skipped',
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
  });
});
