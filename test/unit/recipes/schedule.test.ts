import assert from 'node:assert/strict';
import { learningRate } from '../../../src/container/recipes/classifier/schedule';

function rates(warmupSteps: number, totalSteps: number): number[] {
  return Array.from({ length: totalSteps }, (_, step) =>
    learningRate(step, { highest: 0.1, warmupSteps, totalSteps }),
  );
}

describe('learning rate of the classifier', () => {
  it('grows linearly to the highest, then falls along half a cosine to nearly nothing', () => {
    const all = rates(4, 24);
    [0.025, 0.05, 0.075, 0.1, 0.1].forEach((expected, step) => {
      assert.ok(Math.abs((all[step] ?? 0) - expected) < 1e-12, `step ${step}`);
    });
    assert.ok(Math.abs((all[14] ?? 0) - 0.05) < 1e-12, 'half of it in the middle');
    for (let step = 5; step < all.length; step += 1) {
      assert.ok((all[step] ?? 0) < (all[step - 1] ?? 0) && (all[step] ?? -1) > 0, `step ${step}`);
    }
    assert.ok((all.at(-1) ?? 1) < 0.001);
  });

  it('begins at the highest without a warm-up, and stays finite where the warm-up fills the run', () => {
    assert.equal(rates(0, 10)[0], 0.1);
    assert.equal(rates(10, 10).at(-1), 0.1);
    assert.ok(rates(20, 10).every((rate) => rate > 0 && rate < 0.1));
  });
});
