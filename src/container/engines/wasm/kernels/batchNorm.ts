import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { TrainingOps } from '../../trainingOps';
import { registerWasmKernel, type WasmContext } from '../context';
import { sizeOf } from '../heap';
import { joinMoments, sumOver } from './replicaStatistics';

const forwardName = 'TinyCatsBatchNorm';
const backwardName = 'TinyCatsBatchNormGradient';

const lastOf = (shape: readonly number[]): number => shape[shape.length - 1] ?? 1;

function installForward({ tf, heap, kernels, replicas }: WasmContext): void {
  registerWasmKernel(tf, forwardName, (call) => {
    const x = call.input('x');
    const channels = lastOf(x.shape);
    const rows = sizeOf(x.shape) / channels;
    const y = heap.allocate(x.shape);
    const mean = heap.allocate([channels]);
    const variance = heap.allocate([channels]);
    heap.withScratch(2 * channels * 4, (scratch) => {
      kernels.batchNormMoments(
        heap.address(x),
        heap.address(mean),
        heap.address(variance),
        scratch,
        rows,
        channels,
      );
      if (replicas.group) {
        joinMoments(replicas.group, rows, heap.floats(mean), heap.floats(variance));
      }
      kernels.batchNormApply(
        heap.address(x),
        heap.address(call.input('gamma')),
        heap.address(call.input('beta')),
        heap.address(mean),
        heap.address(variance),
        heap.address(y),
        scratch,
        rows,
        channels,
        call.number('epsilon'),
      );
    });
    return [y, mean, variance];
  });
}

function installBackward({ tf, heap, kernels, replicas }: WasmContext): void {
  registerWasmKernel(tf, backwardName, (call) => {
    const dy = call.input('dy');
    const x = call.input('x');
    const mean = call.input('mean');
    const variance = call.input('variance');
    const epsilon = call.number('epsilon');
    const channels = lastOf(x.shape);
    const rows = sizeOf(x.shape) / channels;
    const dx = heap.allocate(x.shape);
    const dGamma = heap.allocate([channels]);
    const dBeta = heap.allocate([channels]);
    heap.withScratch(5 * channels * 4, (scratch) => {
      const sums = scratch;
      const products = sums + channels * 4;
      kernels.batchNormGradientSums(
        heap.address(dy),
        heap.address(x),
        heap.address(mean),
        sums,
        products,
        rows,
        channels,
      );
      // This replica's own part: the gradients of all are added up later, as those of any parameter.
      const spread = heap.floats(variance);
      heap.floats(dBeta).set(heap.floatsAt(sums, channels));
      heap
        .floats(dGamma)
        .set(heap.floatsAt(products, channels).map((sum, c) => sum / Math.sqrt((spread[c] ?? 0) + epsilon)));
      if (replicas.group) sumOver(replicas.group, heap.floatsAt(sums, 2 * channels));
      kernels.batchNormInputGradient(
        heap.address(dy),
        heap.address(x),
        heap.address(call.input('gamma')),
        heap.address(mean),
        heap.address(variance),
        sums,
        products,
        heap.address(dx),
        products + channels * 4,
        rows,
        Math.round(rows * (replicas.group?.share ?? 1)),
        channels,
        epsilon,
      );
    });
    return [dx, dGamma, dBeta];
  });
}

function installGradient({ tf }: WasmContext): void {
  tf.registerGradient({
    kernelName: forwardName,
    inputsToSave: ['x', 'gamma'],
    outputsToSave: [false, true, true],
    gradFunc: (dys: Tensor | Tensor[], saved: Tensor[], attrs) => {
      const [dy] = Array.isArray(dys) ? dys : [dys];
      const [x, gamma, mean, variance] = saved;
      if (!dy || !x || !gamma || !mean || !variance) throw new Error('Batch normalization saved too little');
      // Not inside the functions below: tfjs runs each in a tidy of its own, and one kernel makes all three.
      const inputs = { dy, x, gamma, mean, variance };
      const [dx, dGamma, dBeta] = tf
        .engine()
        .runKernel<[Tensor, Tensor, Tensor]>(backwardName, inputs, attrs);
      return { x: () => dx, gamma: () => dGamma, beta: () => dBeta };
    },
  });
}

function installInference({ tf, heap, kernels }: WasmContext): void {
  registerWasmKernel(tf, tf.FusedBatchNorm, (call) => {
    const x = call.input('x');
    const mean = call.input('mean');
    const variance = call.input('variance');
    const offset = call.optionalInput('offset');
    const scale = call.optionalInput('scale');
    const channels = lastOf(x.shape);
    const perChannel = [mean, variance, offset, scale].every(
      (tensor) => tensor === undefined || (tensor.shape.length === 1 && tensor.shape[0] === channels),
    );
    if (!perChannel || sizeOf(x.shape) === 0) return call.stock();
    const out = heap.allocate(x.shape);
    heap.withScratch(2 * channels * 4, (scratch) =>
      kernels.batchNormApply(
        heap.address(x),
        scale ? heap.address(scale) : 0,
        offset ? heap.address(offset) : 0,
        heap.address(mean),
        heap.address(variance),
        heap.address(out),
        scratch,
        sizeOf(x.shape) / channels,
        channels,
        call.number('varianceEpsilon'),
      ),
    );
    return out;
  });
}

/** Registers batch normalization for training (with its gradient, over all replicas) and a fast one for inference. */
export function installBatchNorm(context: WasmContext): void {
  installForward(context);
  installBackward(context);
  installGradient(context);
  installInference(context);
}

/** Training-mode batch normalization by one kernel. */
export function fusedBatchNorm({ tf, replicas }: WasmContext): TrainingOps['batchNorm'] {
  return (x, gamma, beta, epsilon) => {
    const [y, mean, variance] = tf
      .engine()
      .runKernel<[Tensor, Tensor1D, Tensor1D]>(forwardName, { x, gamma, beta }, { epsilon });
    const count = Math.round((x.size / gamma.size) * (replicas.group?.share ?? 1));
    return { y, mean, variance, count };
  };
}
