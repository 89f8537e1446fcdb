import type { backend_util } from '@tensorflow/tfjs-core';
import type { WasmContext } from '../context';
import type { KernelCall } from '../kernelCall';
import { shape4D } from './shapes';

export type Convolution = backend_util.Conv2DInfo;

/** Sizes of the convolution that a kernel is called for. */
export function convolution(
  { tf }: WasmContext,
  call: KernelCall,
  x: readonly number[],
  filter: readonly number[],
): Convolution {
  return tf.backend_util.computeConv2DInfo(
    shape4D(x),
    shape4D(filter),
    call.pair('strides'),
    call.pair('dilations'),
    call.padding('pad'),
    call.rounding('dimRoundingMode'),
  );
}
