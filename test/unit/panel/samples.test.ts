import assert from 'node:assert/strict';
import { MAX_SAMPLES } from '../../../src/protocol/runView';
import { classRows, describeSample, shownIndex } from '../../../webview/panel/sampleModel';
import { runAfter, sample } from './runs';

describe('samples of a run', () => {
  it('are kept newest last, each once, and not for ever', () => {
    const some = runAfter(sample(10), sample(20), sample(20)).samples;
    assert.deepEqual(
      some.map(({ step }) => step),
      [10, 20],
    );
    const many = runAfter(
      ...Array.from({ length: MAX_SAMPLES + 5 }, (_, index) => sample(index + 1)),
    ).samples;
    assert.equal(many.length, MAX_SAMPLES);
    assert.equal(many.at(-1)?.step, MAX_SAMPLES + 5);
  });

  it('show the newest unless another was chosen that is still there', () => {
    const { samples } = runAfter(sample(10), sample(20), sample(30));
    assert.equal(shownIndex(samples, null), 2);
    assert.equal(shownIndex(samples, 'samples/step-000010.png'), 0);
    assert.equal(shownIndex(samples, 'samples/step-000001.png'), 2);
    assert.equal(shownIndex([], null), -1);
  });

  it('say what they show', () => {
    const [grid] = runAfter(sample(1500)).samples;
    assert.ok(grid);
    assert.equal(classRows(grid), 'Row 1: cat · Row 2: other');
    assert.equal(classRows({ ...grid, columns: 4 }), 'cat, other');
    assert.equal(describeSample(grid), '4 generated images after step 1,500: 2 of cat, 2 of other.');
  });
});
