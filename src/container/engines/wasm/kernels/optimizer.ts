import type { NamedTensorMap, Scalar, Tensor } from '@tensorflow/tfjs-core';
import { Adam, type AdamUpdate } from '../../adam';
import type { TrainingOps } from '../../trainingOps';
import { registerWasmKernel, type WasmContext } from '../context';
import { sizeOf } from '../heap';

const adamName = 'TinyCatsAdam';
const clipName = 'TinyCatsClipByGlobalNorm';

/** Registers the Adam update of one parameter, which changes its moments in place, and clipping by the global norm. */
export function installOptimizer({ tf, heap, kernels }: WasmContext): void {
  registerWasmKernel(tf, adamName, (call) => {
    const weights = call.input('weights');
    const gradient = call.input('gradient');
    if (!tf.util.arraysEqual(weights.shape, gradient.shape)) {
      throw new Error(
        `Adam: the gradient [${gradient.shape.join(', ')}] does not fit the weights [${weights.shape.join(', ')}]`,
      );
    }
    const out = heap.allocate(weights.shape);
    kernels.adam(
      heap.address(weights),
      heap.address(gradient),
      heap.address(call.input('first')),
      heap.address(call.input('second')),
      heap.address(out),
      sizeOf(weights.shape),
      ...['rate', 'beta1', 'beta2', 'correction2', 'epsilon', 'keep'].map((name) => call.number(name)),
      1,
    );
    return out;
  });

  registerWasmKernel(tf, clipName, (call) => {
    const grads = call.allInputs();
    const maxNorm = call.number('maxNorm');
    const norm = Math.sqrt(
      grads.reduce((total, grad) => total + kernels.sumOfSquares(heap.address(grad), sizeOf(grad.shape)), 0),
    );
    const result = heap.allocate([]);
    heap.view(result)[0] = norm;
    if (norm <= maxNorm) return [result, ...grads.map((grad) => heap.alias(grad))];
    const scaled = grads.map((grad) => {
      const out = heap.allocate(grad.shape);
      kernels.scale(heap.address(grad), heap.address(out), sizeOf(grad.shape), maxNorm / norm);
      return out;
    });
    return [result, ...scaled];
  });
}

/** Clipping by one kernel for all gradients. */
export function fusedClipByGlobalNorm({ tf }: WasmContext): TrainingOps['clipByGlobalNorm'] {
  return (grads, maxNorm) => {
    const [norm, ...outputs] = tf.engine().runKernel<[Scalar, ...Tensor[]]>(clipName, grads, { maxNorm });
    const clipped: NamedTensorMap = {};
    Object.keys(grads).forEach((name, index) => {
      const output = outputs[index];
      if (output) clipped[name] = output;
    });
    return { grads: clipped, norm };
  };
}

/** Adam with one kernel call per parameter. */
export function fusedAdam({ tf }: WasmContext): TrainingOps['adam'] {
  const update: AdamUpdate = (weights, gradient, { first, second }, coefficients) =>
    tf.engine().runKernel<Tensor>(adamName, { weights, gradient, first, second }, { ...coefficients });
  return (parameters, settings = {}) => new Adam(tf, parameters, settings, update);
}
