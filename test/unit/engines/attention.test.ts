import type { Engine } from '../../../src/container/engines/engine';
import { assertFiniteDifferences, assertSame, at, input, loadBoth, seeded, type Operation } from './support';

describe('attention', () => {
  let engines: { wasm: Engine; cpu: Engine };
  before(async () => {
    engines = await loadBoth();
  });

  const attention =
    (heads: number): Operation =>
    ({ ops }, t) =>
      ops.attention(at(t), heads);

  it('is the same fused and composed, with its gradient, for any number of tokens and heads', () => {
    const random = seeded(61);
    for (const [batch, tokens, heads, headWidth] of [
      [2, 16, 4, 8],
      [1, 7, 3, 5],
      [3, 1, 2, 4],
      [1, 65, 1, 24],
    ] as const) {
      const inputs = [input(random, [batch, tokens, 3 * heads * headWidth])];
      const what = [batch, tokens, heads, headWidth].join('x');
      assertSame(engines, what, attention(heads), inputs, { tolerance: 1e-4 });
    }
  });

  it('agrees with finite differences', () => {
    assertFiniteDifferences(engines.wasm, attention(2), [input(seeded(62), [2, 5, 18])]);
  });

  it('does not overflow where tokens are far apart', () => {
    const far = input(seeded(63), [1, 6, 12]);
    const values = far.values.map((value) => value * 60);
    assertSame(engines, 'far apart', attention(2), [{ shape: far.shape, values }], {
      differentiate: false,
      tolerance: 1e-4,
    });
  });
});
