import type { Rank, Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Engine } from '../../engines/engine';
import type { ParameterStore } from './parameterStore';

/** A part of a network. `training` chooses batch statistics over running ones. Images are NHWC. */
export type Layer = (x: Tensor4D, training: boolean) => Tensor4D;

/**
 * Weights that a batch norm follows have no scale of their own, but the smaller they are the further one step of Adam
 * turns them. A quarter of the usual scale lets small data sets learn at the design's learning rate of 1e-4.
 */
const INITIAL_SCALE = 0.25;

/** A convolution without bias, for a batch norm to follow; He's fan-out deviation scaled; padding as PyTorch's `k // 2`. */
export function conv2d(
  { tf }: Engine,
  store: ParameterStore,
  name: string,
  { from, to, kernel, stride }: { from: number; to: number; kernel: number; stride: number },
): Layer {
  const std = INITIAL_SCALE * Math.sqrt(2 / (kernel * kernel * to));
  const weight = store.declare<Rank.R4>(`${name}.weight`, [kernel, kernel, from, to], {
    layout: 'conv',
    initializer: { kind: 'normal', std },
    trainable: true,
  });
  const pad = Math.floor(kernel / 2);
  return (x) => tf.conv2d(x, weight, stride, pad);
}

/** PyTorch's defaults. */
const EPSILON = 1e-5;
const MOMENTUM = 0.1;

/** Brings running statistics up to date; it waits for the end of the step, since no gradient may flow through it. */
export type StatisticsUpdate = () => void;

/**
 * Batch normalisation. While few batches were seen the running statistics are their plain average, so that the first
 * validation does not run on the initial zeros and ones.
 * @param pending takes the update of the running statistics; the caller runs it after the step
 * @param scale initial gamma
 */
export function batchNorm2d(
  { tf, ops }: Engine,
  store: ParameterStore,
  name: string,
  channels: number,
  { pending, scale = 1 }: { pending: StatisticsUpdate[]; scale?: number },
): Layer {
  const vector = (part: string, value: number, trainable: boolean) =>
    store.declare<Rank.R1>(`${name}.${part}`, [channels], {
      layout: 'vector',
      initializer: { kind: 'constant', value },
      trainable,
    });
  const gamma = vector('weight', scale, true);
  const beta = vector('bias', 0, true);
  const runningMean = vector('running_mean', 0, false);
  const runningVariance = vector('running_var', 1, false);
  const batches = store.declareCounter(`${name}.num_batches_tracked`);

  return (x, training) => {
    if (!training) {
      return tf.batchNorm4d(x, runningMean, runningVariance, beta, gamma, EPSILON);
    }
    const { y, mean, variance } = ops.batchNorm(x, gamma, beta, EPSILON);
    tf.keep(mean);
    tf.keep(variance);
    const count = x.size / channels;
    pending.push(() => {
      batches.value += 1;
      const share = Math.max(MOMENTUM, 1 / batches.value);
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

/** Fully connected with bias; weights normal with the deviation of PyTorch's uniform default. */
export function linear(
  { tf }: Engine,
  store: ParameterStore,
  name: string,
  { from, to }: { from: number; to: number },
): (x: Tensor2D) => Tensor2D {
  const weight = store.declare<Rank.R2>(`${name}.weight`, [from, to], {
    layout: 'linear',
    initializer: { kind: 'normal', std: 1 / Math.sqrt(3 * from) },
    trainable: true,
  });
  const bias = store.declare<Rank.R1>(`${name}.bias`, [to], {
    layout: 'vector',
    initializer: { kind: 'constant', value: 0 },
    trainable: true,
  });
  return (x) => tf.add(tf.matMul(x, weight), bias);
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
