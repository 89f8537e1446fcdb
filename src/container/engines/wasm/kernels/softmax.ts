import type { Tensor } from '@tensorflow/tfjs-core';
import type { TrainingOps } from '../../trainingOps';
import { registerWasmKernel, type WasmContext } from '../context';
import { sizeOf } from '../heap';

const forwardName = 'TinyCatsSoftmax';
const backwardName = 'TinyCatsSoftmaxGradient';

const columnsOf = (shape: readonly number[]): number => shape[shape.length - 1] ?? 1;

/** Registers the softmax of a scaled tensor over its last axis, and its gradient. */
export function installSoftmax({ tf, heap, kernels }: WasmContext): void {
  registerWasmKernel(tf, forwardName, (call) => {
    const x = call.input('x');
    const columns = columnsOf(x.shape);
    const out = heap.allocate(x.shape);
    const rows = sizeOf(x.shape) / columns;
    kernels.softmax(heap.address(x), heap.address(out), rows, columns, call.number('scale'));
    return out;
  });
  registerWasmKernel(tf, backwardName, (call) => {
    const y = call.input('y');
    const columns = columnsOf(y.shape);
    const out = heap.allocate(y.shape);
    kernels.softmaxGradient(
      heap.address(y),
      heap.address(call.input('dy')),
      heap.address(out),
      sizeOf(y.shape) / columns,
      columns,
      call.number('scale'),
    );
    return out;
  });
  tf.registerGradient({
    kernelName: forwardName,
    inputsToSave: [],
    outputsToSave: [true],
    gradFunc: (dys: Tensor | Tensor[], [y]: Tensor[], attributes: object) => {
      const [dy] = Array.isArray(dys) ? dys : [dys];
      if (!dy || !y) throw new Error('Softmax saved too little');
      return { x: () => tf.engine().runKernel<Tensor>(backwardName, { y, dy }, { ...attributes }) };
    },
  });
}

/** Softmax by one kernel. */
export function fusedSoftmax({ tf }: WasmContext): TrainingOps['softmax'] {
  return (x, scale = 1) => {
    if (!(scale > 0)) throw new Error(`softmax needs a positive scale, got ${scale}`);
    return tf.engine().runKernel<Tensor>(forwardName, { x }, { scale });
  };
}
