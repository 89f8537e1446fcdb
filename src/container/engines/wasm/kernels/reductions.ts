import type { TensorInfo } from '@tensorflow/tfjs-core';
import { registerWasmKernel, type WasmContext } from '../context';
import { sizeOf } from '../heap';
import type { KernelCall } from '../kernelCall';

/** Sum or mean over neighbouring axes; others, other types and empty tensors go to the stock kernel. */
function reduce(context: WasmContext, call: KernelCall, average: boolean): TensorInfo | TensorInfo[] {
  const { tf, heap, kernels } = context;
  const x = call.input('x');
  const all = x.shape.map((_, axis) => axis);
  const axes = tf.util.parseAxisParam(call.axes('axis') ?? all, x.shape).sort((a, b) => a - b);
  const first = axes[0];
  const neighbours = first !== undefined && axes.every((axis, index) => axis === first + index);
  if (!neighbours || x.dtype !== 'float32' || sizeOf(x.shape) === 0) return call.stock();
  const end = first + axes.length;
  const outer = x.shape.slice(0, first);
  const inner = x.shape.slice(end);
  const reduced = sizeOf(x.shape.slice(first, end));
  const out = heap.allocate(
    call.flag('keepDims') ? [...outer, ...axes.map(() => 1), ...inner] : [...outer, ...inner],
  );
  kernels.reduceMiddle(
    heap.address(x),
    heap.address(out),
    sizeOf(outer),
    reduced,
    sizeOf(inner),
    average ? 1 / reduced : 1,
  );
  return out;
}

/** Registers Sum and Mean with fast paths for neighbouring axes. */
export function installReductions(context: WasmContext): void {
  const { tf } = context;
  registerWasmKernel(tf, tf.Sum, (call) => reduce(context, call, false));
  registerWasmKernel(tf, tf.Mean, (call) => reduce(context, call, true));
}
