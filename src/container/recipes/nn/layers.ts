import type { Rank, Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Engine } from '../../engines/engine';
import type { ParameterStore } from './parameterStore';

/** A part of a network. `training` chooses batch statistics over running ones. Images are NHWC. */
export type Layer = (x: Tensor4D, training: boolean) => Tensor4D;

export interface ConvolutionOptions {
  from: number;
  to: number;
  kernel: number;
  stride?: number;
  /** Padding on every side; PyTorch's usual `kernel // 2` by default. */
  pad?: number;
  bias?: boolean;
  /** Factor of the initial weights' deviation, 1 by default. */
  initialScale?: number;
}

/** A convolution; initial weights normal with He's fan-out deviation ("Delving Deep into Rectifiers", 2015). */
export function conv2d(
  { tf }: Engine,
  store: ParameterStore,
  name: string,
  { from, to, kernel, stride = 1, pad = Math.floor(kernel / 2), bias, initialScale = 1 }: ConvolutionOptions,
): Layer {
  const weight = store.declare<Rank.R4>(`${name}.weight`, [kernel, kernel, from, to], {
    layout: 'conv',
    initializer: { kind: 'normal', std: initialScale * Math.sqrt(2 / (kernel * kernel * to)) },
    trainable: true,
  });
  const offset = bias === true ? declareVector(store, `${name}.bias`, to, 0) : undefined;
  return (x) => {
    const y = tf.conv2d(x, weight, stride, pad);
    return offset === undefined ? y : tf.add<Tensor4D>(y, offset);
  };
}

/** A convolution of each channel by itself, without bias; initialised as PyTorch does with fan-out. */
export function depthwiseConv2d(
  { tf }: Engine,
  store: ParameterStore,
  name: string,
  { channels, kernel, stride }: { channels: number; kernel: number; stride: number },
): Layer {
  const weight = store.declare<Rank.R4>(`${name}.weight`, [kernel, kernel, channels, 1], {
    layout: 'depthwise',
    // torch.nn.init takes the fan-out from the weight's shape [channels, 1, kernel, kernel], whatever the groups.
    initializer: { kind: 'normal', std: Math.sqrt(2 / (kernel * kernel * channels)) },
    trainable: true,
  });
  return (x) => tf.depthwiseConv2d(x, weight, stride, Math.floor(kernel / 2));
}

/** Brings running statistics up to date; it waits for the end of the step, since no gradient may flow through it. */
export type StatisticsUpdate = () => void;

export interface BatchNormOptions {
  /** Takes the update of the running statistics; the caller runs it after the step. */
  pending: StatisticsUpdate[];
  /** Initial gamma, 1 by default. */
  scale?: number;
  /** Added to the variance; PyTorch's 1e-5 by default. */
  epsilon?: number;
  /** Share of a batch in the running statistics; PyTorch's 0.1 by default. */
  momentum?: number;
}

/**
 * Batch normalisation. While few batches were seen the running statistics are their plain average, so that the first
 * validation does not run on the initial zeros and ones.
 */
export function batchNorm2d(
  { tf, ops }: Engine,
  store: ParameterStore,
  name: string,
  channels: number,
  { pending, scale = 1, epsilon = 1e-5, momentum = 0.1 }: BatchNormOptions,
): Layer {
  const gamma = declareVector(store, `${name}.weight`, channels, scale);
  const beta = declareVector(store, `${name}.bias`, channels, 0);
  const runningMean = declareVector(store, `${name}.running_mean`, channels, 0, false);
  const runningVariance = declareVector(store, `${name}.running_var`, channels, 1, false);
  const batches = store.declareCounter(`${name}.num_batches_tracked`);

  return (x, training) => {
    if (!training) {
      return tf.batchNorm4d(x, runningMean, runningVariance, beta, gamma, epsilon);
    }
    const { y, mean, variance, count } = ops.batchNorm(x, gamma, beta, epsilon);
    tf.keep(mean);
    tf.keep(variance);
    pending.push(() => {
      batches.value += 1;
      const share = Math.max(momentum, 1 / batches.value);
      // The batch's variance is biased; PyTorch keeps the unbiased one.
      const unbiased = count / Math.max(1, count - 1);
      tf.tidy(() => {
        runningMean.assign(tf.add(tf.mul(runningMean, 1 - share), tf.mul(mean, share)));
        runningVariance.assign(
          tf.add(tf.mul(runningVariance, 1 - share), tf.mul(variance, share * unbiased)),
        );
      });
      mean.dispose();
      variance.dispose();
    });
    return asTensor4D(y);
  };
}

/**
 * Fully connected with bias 0; weights normal.
 * @param std of the initial weights; that of PyTorch's uniform default if not given
 */
export function linear(
  { tf }: Engine,
  store: ParameterStore,
  name: string,
  { from, to, std = 1 / Math.sqrt(3 * from) }: { from: number; to: number; std?: number },
): (x: Tensor2D) => Tensor2D {
  const weight = store.declare<Rank.R2>(`${name}.weight`, [from, to], {
    layout: 'linear',
    initializer: { kind: 'normal', std },
    trainable: true,
  });
  const bias = declareVector(store, `${name}.bias`, to, 0);
  return (x) => tf.add(tf.matMul(x, weight), bias);
}

function declareVector(store: ParameterStore, name: string, size: number, value: number, trainable = true) {
  return store.declare<Rank.R1>(name, [size], {
    layout: 'vector',
    initializer: { kind: 'constant', value },
    trainable,
  });
}

function asTensor4D(tensor: Tensor): Tensor4D {
  if (isTensor4D(tensor)) {
    return tensor;
  }
  throw new Error(`expected a tensor of rank 4, got one of shape [${tensor.shape.join(', ')}]`);
}

function isTensor4D(tensor: Tensor): tensor is Tensor4D {
  return tensor.rank === 4;
}
