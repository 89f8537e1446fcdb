import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Engine } from '../../../src/container/engines/engine';
import { assertFiniteDifferences, assertSame, input, loadBoth, seeded, type Operation } from './support';

type Padding =
  'same' | 'valid' | number | [[number, number], [number, number], [number, number], [number, number]];

/** A random shape of a convolution that has at least one output position. */
function randomCase(random: () => number) {
  const integer = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const kernel = [integer(1, 5), integer(1, 4)] as const;
  const paddings: Padding[] = [
    'same',
    'valid',
    1,
    [
      [0, 0],
      [integer(0, 2), integer(0, 2)],
      [1, 0],
      [0, 0],
    ],
  ];
  return {
    image: [integer(1, 3), integer(kernel[0], 11), integer(kernel[1], 12)],
    kernel,
    channels: [integer(1, 9), [1, 3, 8, 9, 16, 19][integer(0, 5)] ?? 1] as const,
    strides: [integer(1, 3), integer(1, 3)] as [number, number],
    padding: paddings[integer(0, 3)] ?? 'same',
  };
}

describe('convolution kernels', () => {
  let engines: { wasm: Engine; cpu: Engine };
  before(async () => {
    engines = await loadBoth();
  });

  const conv =
    (
      strides: number | [number, number],
      padding: Padding,
      dilations: number | [number, number] = 1,
    ): Operation =>
    ({ tf }, [x, filter]) =>
      tf.conv2d(x as Tensor3D, filter as Tensor4D, strides, padding, 'NHWC', dilations);

  it('agrees with the cpu backend over random shapes, strides and paddings, with both gradients', () => {
    const random = seeded(1);
    for (let i = 0; i < 60; i++) {
      const { image, kernel, channels, strides, padding } = randomCase(random);
      const inputs = [input(random, [...image, channels[0]]), input(random, [...kernel, ...channels])];
      const what = JSON.stringify({ image, kernel, channels, strides, padding });
      assertSame(engines, what, conv(strides, padding), inputs);
    }
  });

  it('agrees where the image is larger than one chunk of scratch', () => {
    const random = seeded(2);
    const inputs = [input(random, [2, 41, 40, 8]), input(random, [3, 3, 8, 4])];
    assertSame(engines, 'chunked', conv(1, 'same'), inputs);
  });

  it('agrees where it is computed in tiles, whole and cut off ones, with both gradients', () => {
    const random = seeded(7);
    const shift: Padding = [
      [0, 0],
      [0, 2],
      [2, 1],
      [0, 0],
    ];
    for (const [image, channels, stride, padding] of [
      [[1, 16, 16], [16, 24], 1, 'same'],
      [[3, 2, 2], [24, 16], 1, 'same'],
      [[2, 9, 7], [16, 16], 1, 'same'],
      [[1, 3, 5], [16, 32], 1, 1],
      [[2, 11, 6], [32, 16], 1, 'valid'],
      [[1, 6, 13], [16, 16], 1, shift],
      [[60, 5, 6], [16, 16], 1, 'same'],
      [[2, 10, 9], [40, 16], 1, 'same'],
      [[1, 8, 8], [64, 72], 2, 1],
      [[3, 9, 7], [72, 64], 2, 'same'],
      [[1, 8, 9], [64, 64], 2, 'valid'],
      [[17, 6, 7], [64, 64], 2, 'same'],
      [[1, 11, 6], [64, 64], 2, shift],
    ] as const) {
      const inputs = [input(random, [...image, channels[0]]), input(random, [3, 3, ...channels])];
      const what = JSON.stringify({ image, channels, stride, padding });
      assertSame(engines, what, conv(stride, padding), inputs);
    }
  });

  it('agrees for pointwise convolutions, with and without stride', () => {
    const random = seeded(3);
    for (const stride of [1, 2]) {
      const inputs = [input(random, [2, 7, 9, 20]), input(random, [1, 1, 20, 11])];
      assertSame(engines, `stride ${stride}`, conv(stride, 'same'), inputs);
    }
  });

  it('agrees for a dilated convolution, which the stock kernel does', () => {
    const random = seeded(4);
    const inputs = [input(random, [1, 9, 9, 3]), input(random, [3, 3, 3, 5])];
    assertSame(engines, 'dilated', conv(1, 'same', 2), inputs, { differentiate: false });
  });

  it('agrees for depthwise convolutions, with both gradients', () => {
    const random = seeded(5);
    for (const [channels, multiplier, stride, padding] of [
      [8, 1, 1, 'same'],
      [7, 1, 2, 'same'],
      [3, 2, 1, 'valid'],
      [5, 3, 2, 'same'],
    ] as const) {
      const inputs = [input(random, [2, 9, 8, channels]), input(random, [3, 3, channels, multiplier])];
      assertSame(
        engines,
        `depthwise ${channels} x ${multiplier}`,
        ({ tf }, [x, filter]) => tf.depthwiseConv2d(x as Tensor4D, filter as Tensor4D, stride, padding),
        inputs,
      );
    }
  });

  it('has gradients that agree with finite differences', () => {
    const random = seeded(6);
    const inputs = [input(random, [1, 5, 6, 3]), input(random, [3, 3, 3, 4])];
    assertFiniteDifferences(
      engines.wasm,
      (engine, tensors) => engine.tf.square(conv(2, 'same')(engine, tensors)),
      inputs,
    );
  });
});
