import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Engine } from '../../../src/container/engines/engine';
import { assertFiniteDifferences, assertSame, at, input, loadBoth, seeded, type Operation } from './support';

describe('pooling', () => {
  let engines: { wasm: Engine; cpu: Engine };
  before(async () => {
    engines = await loadBoth();
  });

  const cases = [
    { side: 7, size: 3, stride: 2, channels: 5 },
    { side: 8, size: 2, stride: 2, channels: 4 },
    { side: 5, size: 2, stride: 1, channels: 3 },
    { side: 6, size: 3, stride: 2, channels: 9 },
  ];
  for (const { side, size, stride, channels } of cases) {
    for (const pad of ['same', 'valid', 1] as const) {
      it(`of ${size} by ${stride} over ${side} pixels, padding ${pad}`, () => {
        const inputs = [input(seeded(37), [2, side, side, channels])];
        const largest: Operation = ({ tf }, t) => tf.maxPool(at(t) as Tensor4D, size, stride, pad);
        assertSame(engines, 'largest', largest, inputs, { differentiate: false });
        assertFiniteDifferences(engines.wasm, largest, inputs, 1e-3);
        const mean: Operation = ({ tf }, t) => tf.avgPool(at(t) as Tensor4D, size, stride, pad);
        assertSame(engines, 'mean', mean, inputs);
      });
    }
  }
});
