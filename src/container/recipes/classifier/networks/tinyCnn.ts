import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Engine } from '../../../engines/engine';
import type { Layer, StatisticsUpdate } from '../../nn/layers';
import { batchNorm2d, conv2d, linear } from '../../nn/layers';
import { ParameterStore } from '../../nn/parameterStore';
import type { Network, NetworkOptions } from './network';
import { dropOut } from './network';

/** 12 principal axes of the images' patches, each with both signs: see `whiteningStem`. */
export const TINY_CNN_STEM_CHANNELS = 24;
const STAGE_CHANNELS = [32, 64, 128];

/** Inputs of its last layer. */
export const TINY_CNN_HEAD_INPUTS = 128;

/**
 * Weights that a batch norm follows have no scale of their own, but the smaller they are the further one step of Adam
 * turns them. A quarter of the usual scale lets small data sets learn at the design's learning rate of 1e-4.
 */
const INITIAL_SCALE = 0.25;

/**
 * A small residual network of 0.3 million parameters for images of 32 to 128 pixels: a stem and three residual
 * blocks (He et al., "Deep Residual Learning", 2015), each of which halves the side. The stem halves it too where
 * images are larger than 32 pixels. Names are torchvision's.
 */
export function tinyCnn(
  engine: Engine,
  { classes, imageSize, stemChannels = TINY_CNN_STEM_CHANNELS }: NetworkOptions,
): Network {
  const { tf } = engine;
  const store = new ParameterStore(engine);
  const pending: StatisticsUpdate[] = [];
  const stem = conv2d(engine, store, 'conv1', {
    from: 3,
    to: stemChannels,
    kernel: 3,
    stride: imageSize > 32 ? 2 : 1,
    initialScale: INITIAL_SCALE,
  });
  const stemNorm = batchNorm2d(engine, store, 'bn1', stemChannels, { pending });
  let from = stemChannels;
  const blocks = STAGE_CHANNELS.map((to, index) => {
    const block = residualBlock(engine, store, `layer${index + 1}.0`, { from, to, pending });
    from = to;
    return block;
  });
  const head = linear(engine, store, 'fc', { from: TINY_CNN_HEAD_INPUTS, to: classes });

  return {
    store,
    pending,
    forward: (images, options) => {
      const { training } = options;
      let x = tf.relu(stemNorm(stem(images, training), training));
      for (const block of blocks) {
        x = block(x, training);
      }
      return head(dropOut(engine, tf.mean<Tensor2D>(x, [1, 2]), options));
    },
  };
}

function residualBlock(
  engine: Engine,
  store: ParameterStore,
  name: string,
  { from, to, pending }: { from: number; to: number; pending: StatisticsUpdate[] },
): Layer {
  const { tf } = engine;
  const convolution = (part: string, options: { from: number; kernel: number; stride: number }) =>
    conv2d(engine, store, `${name}.${part}`, { ...options, to, initialScale: INITIAL_SCALE });
  const norm = (part: string) => batchNorm2d(engine, store, `${name}.${part}`, to, { pending });
  const conv1 = convolution('conv1', { from, kernel: 3, stride: 2 });
  const norm1 = norm('bn1');
  const conv2 = convolution('conv2', { from: to, kernel: 3, stride: 1 });
  const norm2 = norm('bn2');
  const shortcut = convolution('downsample.0', { from, kernel: 1, stride: 2 });
  const shortcutNorm = norm('downsample.1');
  return (x, training) => {
    const inner = tf.relu(norm1(conv1(x, training), training));
    const residual = norm2(conv2(inner, training), training);
    return tf.relu(tf.add<Tensor4D>(residual, shortcutNorm(shortcut(x, training), training)));
  };
}
