import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Engine } from '../../../engines/engine';
import type { Layer, StatisticsUpdate } from '../../nn/layers';
import { batchNorm2d, conv2d, depthwiseConv2d, linear } from '../../nn/layers';
import { ParameterStore } from '../../nn/parameterStore';
import type { Network, NetworkOptions } from './network';
import { dropOut } from './network';

interface BlockFacts {
  kernel: number;
  /** Channels inside the block. */
  expanded: number;
  to: number;
  /** Whether it has squeeze and excitation. */
  squeeze: boolean;
  activation: 'relu' | 'hardswish';
  stride: number;
}

const STEM_CHANNELS = 16;
const LAST_CONVOLUTION = 576;

/** Inputs of the last layer. */
export const MOBILENET_V3_SMALL_HEAD_INPUTS = 1024;

/** Table 2 of Howard et al., "Searching for MobileNetV3", 2019. */
const BLOCKS: readonly BlockFacts[] = [
  { kernel: 3, expanded: 16, to: 16, squeeze: true, activation: 'relu', stride: 2 },
  { kernel: 3, expanded: 72, to: 24, squeeze: false, activation: 'relu', stride: 2 },
  { kernel: 3, expanded: 88, to: 24, squeeze: false, activation: 'relu', stride: 1 },
  { kernel: 5, expanded: 96, to: 40, squeeze: true, activation: 'hardswish', stride: 2 },
  { kernel: 5, expanded: 240, to: 40, squeeze: true, activation: 'hardswish', stride: 1 },
  { kernel: 5, expanded: 240, to: 40, squeeze: true, activation: 'hardswish', stride: 1 },
  { kernel: 5, expanded: 120, to: 48, squeeze: true, activation: 'hardswish', stride: 1 },
  { kernel: 5, expanded: 144, to: 48, squeeze: true, activation: 'hardswish', stride: 1 },
  { kernel: 5, expanded: 288, to: 96, squeeze: true, activation: 'hardswish', stride: 2 },
  { kernel: 5, expanded: 576, to: 96, squeeze: true, activation: 'hardswish', stride: 1 },
  { kernel: 5, expanded: 576, to: 96, squeeze: true, activation: 'hardswish', stride: 1 },
];

/** torchvision's, which differ from PyTorch's defaults. */
const NORM = { epsilon: 1e-3, momentum: 0.01 };

/** MobileNetV3 small, with torchvision's names. */
export function mobilenetV3Small(engine: Engine, { classes }: NetworkOptions): Network {
  const { tf } = engine;
  const parts: Parts = { engine, store: new ParameterStore(engine), pending: [] };
  const { store, pending } = parts;
  const stem = unit(parts, 'features.0', 'hardswish', STEM_CHANNELS, (name) =>
    conv2d(engine, store, name, { from: 3, to: STEM_CHANNELS, kernel: 3, stride: 2 }),
  );
  let from = STEM_CHANNELS;
  const blocks = BLOCKS.map((facts, index) => {
    const block = invertedResidual(parts, `features.${index + 1}.block`, from, facts);
    from = facts.to;
    return block;
  });
  const last = unit(parts, `features.${BLOCKS.length + 1}`, 'hardswish', LAST_CONVOLUTION, (name) =>
    conv2d(engine, store, name, { from, to: LAST_CONVOLUTION, kernel: 1 }),
  );
  const hidden = linear(engine, store, 'classifier.0', {
    from: LAST_CONVOLUTION,
    to: MOBILENET_V3_SMALL_HEAD_INPUTS,
    std: 0.01,
  });
  const head = linear(engine, store, 'classifier.3', {
    from: MOBILENET_V3_SMALL_HEAD_INPUTS,
    to: classes,
    std: 0.01,
  });

  return {
    store,
    pending,
    forward: (images, options) => {
      const features = [stem, ...blocks, last].reduce((x, layer) => layer(x, options.training), images);
      const pooled = tf.mean<Tensor2D>(features, [1, 2]);
      return head(dropOut(engine, hardswish(engine, hidden(pooled)), options));
    },
  };
}

interface Parts {
  engine: Engine;
  store: ParameterStore;
  pending: StatisticsUpdate[];
}

/** What torchvision calls Conv2dNormActivation. */
function unit(
  { engine, store, pending }: Parts,
  name: string,
  activation: BlockFacts['activation'] | 'none',
  channels: number,
  convolution: (name: string) => Layer,
): Layer {
  const { tf } = engine;
  const convolve = convolution(`${name}.0`);
  const norm = batchNorm2d(engine, store, `${name}.1`, channels, { pending, ...NORM });
  return (x, training) => {
    const y = norm(convolve(x, training), training);
    switch (activation) {
      case 'none':
        return y;
      case 'relu':
        return tf.relu(y);
      case 'hardswish':
        return hardswish(engine, y);
    }
  };
}

function invertedResidual(
  parts: Parts,
  name: string,
  from: number,
  { kernel, expanded, to, squeeze, activation, stride }: BlockFacts,
): Layer {
  const { engine, store } = parts;
  const { tf } = engine;
  const layers: Layer[] = [];
  const next = () => `${name}.${layers.length}`;
  if (expanded !== from) {
    layers.push(
      unit(parts, next(), activation, expanded, (conv) =>
        conv2d(engine, store, conv, { from, to: expanded, kernel: 1 }),
      ),
    );
  }
  layers.push(
    unit(parts, next(), activation, expanded, (conv) =>
      depthwiseConv2d(engine, store, conv, { channels: expanded, kernel, stride }),
    ),
  );
  if (squeeze) {
    layers.push(squeezeExcitation(parts, next(), expanded));
  }
  layers.push(
    unit(parts, next(), 'none', to, (conv) => conv2d(engine, store, conv, { from: expanded, to, kernel: 1 })),
  );
  return (input, training) => {
    const y = layers.reduce((x, layer) => layer(x, training), input);
    return stride === 1 && from === to ? tf.add<Tensor4D>(input, y) : y;
  };
}

function squeezeExcitation({ engine, store }: Parts, name: string, channels: number): Layer {
  const { tf } = engine;
  const squeezed = divisibleBy8(Math.floor(channels / 4));
  const down = conv2d(engine, store, `${name}.fc1`, { from: channels, to: squeezed, kernel: 1, bias: true });
  const up = conv2d(engine, store, `${name}.fc2`, { from: squeezed, to: channels, kernel: 1, bias: true });
  return (x, training) => {
    const inner = tf.relu(down(tf.mean<Tensor4D>(x, [1, 2], true), training));
    return tf.mul<Tensor4D>(x, hardsigmoid(engine, up(inner, training)));
  };
}

/** The multiple of 8 next to `channels`, but not more than a tenth below it. */
function divisibleBy8(channels: number): number {
  const near = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return near < 0.9 * channels ? near + 8 : near;
}

/** relu6(x + 3) / 6 */
function hardsigmoid<T extends Tensor>({ tf }: Engine, x: T): T {
  return tf.mul<T>(tf.relu6(tf.add(x, 3)), 1 / 6);
}

/** x * relu6(x + 3) / 6 */
function hardswish<T extends Tensor>(engine: Engine, x: T): T {
  return engine.tf.mul<T>(x, hardsigmoid(engine, x));
}
