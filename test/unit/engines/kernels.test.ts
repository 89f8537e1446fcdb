import assert from 'node:assert/strict';
import type { Rank, Tensor } from '@tensorflow/tfjs-core';
import type { Engine } from '../../../src/container/engines/engine';
import {
  assertClose,
  assertSame,
  at,
  evaluate,
  input,
  loadBoth,
  seeded,
  useEngine,
  type Operation,
} from './support';

describe('matrix and reduction kernels', () => {
  let engines: { wasm: Engine; cpu: Engine };
  before(async () => {
    engines = await loadBoth();
  });

  it('multiplies matrices of any size and transpose, with gradients', () => {
    const random = seeded(11);
    const sizes = [
      [1, 1, 1],
      [1, 9, 5],
      [6, 8, 4],
      [7, 10, 3],
      [13, 17, 300],
      [5, 270, 9],
    ] as const;
    for (const [m, n, k] of sizes) {
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const inputs = [
            input(random, transposeA ? [k, m] : [m, k]),
            input(random, transposeB ? [n, k] : [k, n]),
          ];
          const product: Operation = ({ tf }, tensors) =>
            tf.matMul(at(tensors), at(tensors, 1), transposeA, transposeB);
          assertSame(engines, `${m}x${k} by ${k}x${n}, ${transposeA}, ${transposeB}`, product, inputs);
        }
      }
    }
  });

  it('multiplies batches, with gradients', () => {
    const random = seeded(12);
    const product: Operation = ({ tf }, tensors) => tf.matMul(at(tensors), at(tensors, 1));
    assertSame(engines, 'batch', product, [input(random, [2, 3, 5, 7]), input(random, [2, 3, 7, 9])]);
  });

  // The cpu backend gets some of these wrong, so that the reference has its operands tiled.
  it('multiplies broadcast batches', () => {
    const random = seeded(16);
    for (const [a, tilesA, b, tilesB] of [
      [
        [2, 1, 5, 7],
        [1, 3, 1, 1],
        [3, 7, 9],
        [2, 1, 1, 1],
      ],
      [
        [4, 7],
        [2, 3, 1, 1],
        [2, 3, 7, 2],
        [1, 1, 1, 1],
      ],
      [
        [3, 1, 2, 4],
        [1, 2, 1, 1],
        [1, 2, 4, 3],
        [3, 1, 1, 1],
      ],
    ] as const) {
      const inputs = [input(random, a), input(random, b)];
      const tiled = (tf: Engine['tf'], tensor: Tensor, tiles: readonly number[]) =>
        tf.tile(tf.reshape(tensor, [...Array<number>(4 - tensor.rank).fill(1), ...tensor.shape]), [...tiles]);
      const reference = evaluate(
        engines.cpu,
        ({ tf }, t) => tf.matMul(tiled(tf, at(t), tilesA), tiled(tf, at(t, 1), tilesB)),
        inputs,
        false,
      );
      const actual = evaluate(engines.wasm, ({ tf }, t) => tf.matMul(at(t), at(t, 1)), inputs, false);
      assert.deepEqual(actual.shape, reference.shape);
      assertClose(actual.value, reference.value, JSON.stringify([a, b]));
    }
  });

  it('sums and averages over any axes, with gradients', () => {
    const random = seeded(13);
    const cases: (number[] | undefined)[] = [undefined, [0], [1], [3], [0, 1, 2], [1, 2], [2, 3], [0, 3]];
    for (const axes of cases) {
      for (const keepDims of [false, true]) {
        const inputs = [input(random, [3, 67, 2, 21])];
        const what = `${JSON.stringify(axes)}, ${keepDims}`;
        assertSame(engines, `sum ${what}`, ({ tf }, t) => tf.sum(at(t), axes, keepDims), inputs);
        assertSame(engines, `mean ${what}`, ({ tf }, t) => tf.mean(at(t), axes, keepDims), inputs);
      }
    }
  });

  it('sums integers and empty tensors as before', () => {
    const { tf } = engines.wasm;
    useEngine(engines.wasm);
    tf.tidy(() => {
      assert.deepEqual(
        Array.from(
          tf
            .sum(
              tf.tensor2d(
                [
                  [1, 2],
                  [3, 4],
                ],
                [2, 2],
                'int32',
              ),
              0,
            )
            .dataSync(),
        ),
        [4, 6],
      );
      assert.deepEqual(Array.from(tf.sum(tf.zeros([0, 3]), 1).dataSync()), []);
    });
  });

  it('differentiates relu on both engines', () => {
    const random = seeded(14);
    assertSame(engines, 'relu', ({ tf }, t) => tf.relu(at(t)), [input(random, [3, 5, 7])]);
  });

  it('normalizes with given statistics, with and without scale and offset', () => {
    const random = seeded(15);
    for (const channels of [3, 8, 21]) {
      const inputs = [
        input(random, [2, 3, 4, channels]),
        ...[0, 1, 2, 3].map(() => input(random, [channels])),
      ];
      const withAll: Operation = ({ tf }, t) =>
        tf.batchNorm(at(t), at(t, 1), tf.abs(at(t, 2)), at(t, 3), at(t, 4));
      const plain: Operation = ({ tf }, t) => tf.batchNorm(at(t), at(t, 1), tf.abs(at(t, 2)));
      assertSame(engines, `${channels} channels`, withAll, inputs, { differentiate: false, tolerance: 1e-4 });
      assertSame(engines, `${channels} channels, plain`, plain, inputs, {
        differentiate: false,
        tolerance: 1e-4,
      });
    }
  });

  it('refuses matrices that do not fit', () => {
    const { tf } = engines.wasm;
    useEngine(engines.wasm);
    assert.throws(
      () => tf.tidy(() => tf.matMul(tf.zeros<Rank.R2>([2, 3]), tf.zeros<Rank.R2>([4, 2]))),
      /inner shapes/i,
    );
  });
});
