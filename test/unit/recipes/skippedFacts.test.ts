import assert from 'node:assert/strict';
import { skippedFacts } from '../../../src/container/recipes/skippedFacts';

describe('skipped files in the event "dataset"', () => {
  const files = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ path: `cat/${index}.jpg`, reason: 'it was cut off' }));

  it('are all named where they are few', () => {
    assert.deepEqual(skippedFacts({ skipped: files(100) }), { skipped: files(100) });
  });

  it('are named in part and counted where they are so many that the message would be too large', () => {
    const facts = skippedFacts({ skipped: files(50_000) });
    assert.deepEqual(facts, { skipped: files(100), more_skipped: 49_900 });
  });
});
