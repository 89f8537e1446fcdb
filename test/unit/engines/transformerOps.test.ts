import assert from 'node:assert/strict';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { Engine } from '../../../src/container/engines/engine';
import {
  assertFiniteDifferences,
  assertSame,
  at,
  input,
  loadBoth,
  seeded,
  useEngine,
  type Input,
  type Operation,
} from './support';

const shapes = [[1], [7], [3, 4], [2, 5, 9], [2, 3, 4, 21], [5, 64]];

/** Values of up to ±`range`. */
const wide = (random: () => number, shape: number[], range: number): Input => {
  const { values } = input(random, shape);
  return { shape, values: values.map((value) => value * range) };
};

describe('operations of a transformer', () => {
  let engines: { wasm: Engine; cpu: Engine };
  before(async () => {
    engines = await loadBoth();
  });

  const cases: { name: string; operation: Operation }[] = [
    { name: 'layerNorm', operation: ({ ops }, t) => ops.layerNorm(at(t), 1e-5) },
    { name: 'gelu', operation: ({ ops }, t) => ops.gelu(at(t)) },
    { name: 'silu', operation: ({ ops }, t) => ops.silu(at(t)) },
    { name: 'softmax', operation: ({ ops }, t) => ops.softmax(at(t)) },
    { name: 'scaled softmax', operation: ({ ops }, t) => ops.softmax(at(t), 0.3) },
  ];
  for (const { name, operation } of cases) {
    it(`${name} is the same fused and composed, with its gradient`, () => {
      const random = seeded(31);
      for (const shape of name === 'layerNorm' ? shapes.filter(([first]) => first !== 1) : shapes) {
        const inputs = [wide(random, shape, 4)];
        assertSame(engines, `${name} ${shape.join('x')}`, operation, inputs, { tolerance: 1e-4 });
      }
    });

    it(`${name} agrees with finite differences`, () => {
      assertFiniteDifferences(engines.wasm, operation, [input(seeded(32), [3, 6])]);
      assertFiniteDifferences(engines.cpu, operation, [input(seeded(32), [3, 6])]);
    });
  }

  it('layerNorm scales and shifts, with all gradients', () => {
    const affine: Operation = ({ ops }, t) =>
      ops.layerNorm(at(t), 1e-6, { gamma: at(t, 1) as Tensor1D, beta: at(t, 2) as Tensor1D });
    const random = seeded(33);
    for (const shape of [
      [2, 3],
      [4, 5, 18],
      [33, 64],
    ]) {
      const inputs = [input(random, shape), input(random, shape.slice(-1)), input(random, shape.slice(-1))];
      assertSame(engines, shape.join('x'), affine, inputs, { tolerance: 1e-4 });
    }
    const inputs = [input(random, [3, 5]), input(random, [5]), input(random, [5])];
    assertFiniteDifferences(engines.wasm, affine, inputs);
  });

  it('stays finite for large magnitudes', () => {
    const values = Float32Array.of(-1e30, -200, -90, 0, 90, 200, 1e30, 5);
    for (const engine of [engines.wasm, engines.cpu]) {
      useEngine(engine);
      const { tf, ops } = engine;
      const read = (make: (x: Tensor) => Tensor) =>
        tf.tidy(() => Array.from(make(tf.tensor(values.slice())).dataSync()));
      const [first = NaN, ...shares] = read((x) => ops.softmax(x));
      assert.ok(first < 1e-30 && shares[5] === 1);
      assert.ok(read((x) => ops.silu(x)).every((value) => Number.isFinite(value)));
      assert.ok(read((x) => ops.gelu(tf.clipByValue(x, -1e3, 1e3))).every((value) => Number.isFinite(value)));
    }
  });

  it('passes NaN on', () => {
    useEngine(engines.wasm);
    const { tf, ops } = engines.wasm;
    for (const make of [
      (x: Tensor) => ops.gelu(x),
      (x: Tensor) => ops.silu(x),
      (x: Tensor) => ops.softmax(x),
      (x: Tensor) => ops.layerNorm(x, 1e-5),
    ]) {
      const read = tf.tidy(() => Array.from(make(tf.tensor([NaN, 1, 2, 3, NaN])).dataSync()));
      assert.ok(Number.isNaN(read[0]) && Number.isNaN(read[4]));
    }
  });

  it('looks up rows, with the gradient', () => {
    const random = seeded(34);
    const gather: Operation = ({ tf }, t) => tf.gather(at(t), tf.tensor1d([2, 0, 2, 3], 'int32'));
    for (const shape of [[4], [4, 3], [5, 2, 9]]) {
      assertSame(engines, shape.join('x'), gather, [input(random, shape)]);
    }
  });

  it('repeats along any axes, with the gradient', () => {
    const random = seeded(35);
    for (const [shape, reps] of [
      [[3], [4]],
      [
        [2, 3],
        [1, 5],
      ],
      [
        [2, 1, 5],
        [3, 4, 2],
      ],
      [
        [2, 1, 3, 2],
        [1, 3, 1, 2],
      ],
    ] as const) {
      const tile: Operation = ({ tf }, t) => tf.tile(at(t), [...reps]);
      assertSame(engines, `${shape.join('x')} by ${reps.join('x')}`, tile, [input(random, shape)]);
    }
  });

  it('repeats integers and booleans', () => {
    useEngine(engines.wasm);
    const { tf } = engines.wasm;
    const read = (tensor: Tensor): number[] => Array.from(tensor.dataSync());
    tf.tidy(() => {
      assert.deepEqual(read(tf.tile(tf.tensor1d([1, -2], 'int32'), [2])), [1, -2, 1, -2]);
      assert.deepEqual(read(tf.tile(tf.tensor1d([true, false], 'bool'), [2])), [1, 0, 1, 0]);
    });
  });

  it('swaps tokens and heads, with the gradient', () => {
    const swap: Operation = ({ tf }, t) => tf.transpose(at(t), [0, 2, 1, 3]);
    const random = seeded(36);
    for (const shape of [
      [2, 3, 4, 5],
      [1, 16, 3, 8],
    ]) {
      assertSame(engines, shape.join('x'), swap, [input(random, shape)]);
    }
  });
});
