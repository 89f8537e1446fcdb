import type { TensorInfo } from '@tensorflow/tfjs-core';
import { registerWasmKernel, type WasmContext } from '../context';
import type { KernelCall } from '../kernelCall';
import { shape4D } from './shapes';

/** Images, extents, window, strides and padding in the order of the kernels' parameters. */
function geometry(
  { tf }: WasmContext,
  call: KernelCall,
  x: readonly number[],
  filter: readonly number[],
): number[] {
  const c = tf.backend_util.computeConv2DInfo(
    shape4D(x),
    shape4D(filter),
    call.pair('strides'),
    call.pair('dilations'),
    call.padding('pad'),
    call.rounding('dimRoundingMode'),
    true,
  );
  return [
    c.batchSize,
    c.inHeight,
    c.inWidth,
    c.inChannels,
    c.outChannels / c.inChannels,
    c.filterHeight,
    c.filterWidth,
    c.strideHeight,
    c.strideWidth,
    c.dilationHeight,
    c.dilationWidth,
    c.padInfo.top,
    c.padInfo.left,
    c.outHeight,
    c.outWidth,
  ];
}

function inputGradient(context: WasmContext, call: KernelCall): TensorInfo {
  const { heap, kernels } = context;
  const dy = call.input('dy');
  const filter = call.input('filter');
  const inputShape = call.numbers('inputShape');
  const shape = geometry(context, call, inputShape, filter.shape);
  const out = heap.allocate(inputShape);
  kernels.depthwiseInputGradient(heap.address(dy), heap.address(filter), heap.address(out), ...shape);
  return out;
}

function filterGradient(context: WasmContext, call: KernelCall): TensorInfo {
  const { heap, kernels } = context;
  const dy = call.input('dy');
  const x = call.input('x');
  const filterShape = call.numbers('filterShape');
  const shape = geometry(context, call, x.shape, filterShape);
  const out = heap.allocate(filterShape);
  kernels.depthwiseFilterGradient(heap.address(dy), heap.address(x), heap.address(out), ...shape);
  return out;
}

/** Registers both gradients of the depthwise convolution, which the stock backend lacks. */
export function installDepthwise(context: WasmContext): void {
  const { tf } = context;
  registerWasmKernel(tf, tf.DepthwiseConv2dNativeBackpropInput, (call) => inputGradient(context, call));
  registerWasmKernel(tf, tf.DepthwiseConv2dNativeBackpropFilter, (call) => filterGradient(context, call));
}
