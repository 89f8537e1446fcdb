import type { Tensor } from '@tensorflow/tfjs-core';
import { registerWasmKernel, type WasmContext } from '../context';
import { sizeOf } from '../heap';

const reluGradientName = 'TinyCatsReluGradient';

/**
 * Registers a gradient of Relu in one pass. It needs the result instead of the operand, which the next layer keeps
 * anyway, so that the operand's memory is free at once. tfjs has one registry for all backends: the others get the
 * same gradient composed of their operations.
 */
export function installReluGradient({ tf, heap, kernels }: WasmContext): void {
  registerWasmKernel(tf, reluGradientName, (call) => {
    const y = call.input('y');
    const dy = call.input('dy');
    const out = heap.allocate(y.shape);
    kernels.reluGradient(heap.address(y), heap.address(dy), heap.address(out), sizeOf(y.shape));
    return out;
  });
  tf.registerGradient({
    kernelName: tf.Relu,
    outputsToSave: [true],
    gradFunc: (dy: Tensor | Tensor[], [y]: Tensor[]) => {
      if (Array.isArray(dy) || !y) throw new Error('Relu has one result');
      return {
        x: () =>
          tf.getBackend() === 'wasm'
            ? tf.engine().runKernel<Tensor>(reluGradientName, { y, dy })
            : tf.mul(dy, tf.step(y)),
      };
    },
  });
}
