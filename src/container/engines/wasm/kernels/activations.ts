import type { Tensor } from '@tensorflow/tfjs-core';
import type { TrainingOps } from '../../trainingOps';
import { registerWasmKernel, type WasmContext } from '../context';
import { sizeOf } from '../heap';

const forwardName = 'TinyCatsGatedSigmoid';
const backwardName = 'TinyCatsGatedSigmoidGradient';

/** Registers x * sigmoid(linear * x + cubic * x^3), of which GELU and SiLU are cases, and its gradient. */
export function installActivations({ tf, heap, kernels }: WasmContext): void {
  registerWasmKernel(tf, forwardName, (call) => {
    const x = call.input('x');
    const out = heap.allocate(x.shape);
    const [linear, cubic] = [call.number('linear'), call.number('cubic')];
    kernels.gatedSigmoid(heap.address(x), heap.address(out), sizeOf(x.shape), linear, cubic);
    return out;
  });
  registerWasmKernel(tf, backwardName, (call) => {
    const x = call.input('x');
    const out = heap.allocate(x.shape);
    kernels.gatedSigmoidGradient(
      heap.address(x),
      heap.address(call.input('dy')),
      heap.address(out),
      sizeOf(x.shape),
      call.number('linear'),
      call.number('cubic'),
    );
    return out;
  });
  tf.registerGradient({
    kernelName: forwardName,
    inputsToSave: ['x'],
    gradFunc: (dys: Tensor | Tensor[], [x]: Tensor[], attributes: object) => {
      const [dy] = Array.isArray(dys) ? dys : [dys];
      if (!dy || !x) throw new Error('The activation saved too little');
      return { x: () => tf.engine().runKernel<Tensor>(backwardName, { x, dy }, { ...attributes }) };
    },
  });
}

const activation =
  ({ tf }: WasmContext, linear: number, cubic: number): TrainingOps['gelu'] =>
  (x) =>
    tf.engine().runKernel<Tensor>(forwardName, { x }, { linear, cubic });

export const fusedSilu = (context: WasmContext): TrainingOps['silu'] => activation(context, 1, 0);

export function fusedGelu(context: WasmContext): TrainingOps['gelu'] {
  const linear = 2 * Math.sqrt(2 / Math.PI);
  return activation(context, linear, 0.044715 * linear);
}
