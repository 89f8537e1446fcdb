import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import type { TrainingOps } from '../../trainingOps';
import { registerWasmKernel, type WasmContext } from '../context';
import type { KernelCall } from '../kernelCall';

const forwardName = 'TinyCatsAttention';
const backwardName = 'TinyCatsAttentionGradient';

interface Extents {
  readonly batch: number;
  readonly tokens: number;
  readonly heads: number;
  readonly headWidth: number;
}

function extentsOf(qkv: TensorInfo, heads: number): Extents {
  const [batch = 0, tokens = 0, width = 0] = qkv.shape;
  const headWidth = width / (3 * heads);
  if (qkv.shape.length !== 3 || qkv.dtype !== 'float32' || !Number.isInteger(headWidth)) {
    throw new Error(
      `attention of ${heads} heads needs [B, T, 3 * heads * n], got ${qkv.dtype} [${qkv.shape.join(', ')}]`,
    );
  }
  return { batch, tokens, heads, headWidth };
}

function forward({ heap, kernels }: WasmContext, call: KernelCall): TensorInfo[] {
  const qkv = call.input('qkv');
  const { batch, tokens, heads, headWidth } = extentsOf(qkv, call.number('heads'));
  const out = heap.allocate([batch, tokens, heads * headWidth]);
  const shares = heap.allocate([batch, heads, tokens, tokens]);
  heap.withScratch(kernels.attentionScratchBytes(tokens, headWidth), (scratch) => {
    kernels.attentionForward(
      heap.address(qkv),
      heap.address(shares),
      heap.address(out),
      batch,
      tokens,
      heads,
      headWidth,
      1 / Math.sqrt(headWidth),
      scratch,
    );
  });
  return [out, shares];
}

function backward({ heap, kernels }: WasmContext, call: KernelCall): TensorInfo {
  const qkv = call.input('qkv');
  const { batch, tokens, heads, headWidth } = extentsOf(qkv, call.number('heads'));
  const out = heap.allocate(qkv.shape);
  heap.withScratch(kernels.attentionScratchBytes(tokens, headWidth), (scratch) => {
    kernels.attentionBackward(
      heap.address(qkv),
      heap.address(call.input('shares')),
      heap.address(call.input('dOut')),
      heap.address(out),
      batch,
      tokens,
      heads,
      headWidth,
      1 / Math.sqrt(headWidth),
      scratch,
    );
  });
  return out;
}

/** Registers multi-head attention and its gradient. */
export function installAttention(context: WasmContext): void {
  const { tf } = context;
  registerWasmKernel(tf, forwardName, (call) => forward(context, call));
  registerWasmKernel(tf, backwardName, (call) => backward(context, call));
  tf.registerGradient({
    kernelName: forwardName,
    inputsToSave: ['qkv'],
    outputsToSave: [false, true],
    gradFunc: (dys: Tensor | Tensor[], [qkv, shares]: Tensor[], attributes: object) => {
      const [dOut] = Array.isArray(dys) ? dys : [dys];
      if (!dOut || !qkv || !shares) throw new Error('Attention saved too little');
      return {
        qkv: () => tf.engine().runKernel<Tensor>(backwardName, { qkv, shares, dOut }, { ...attributes }),
      };
    },
  });
}

/** Multi-head attention by one kernel. */
export function fusedAttention({ tf }: WasmContext): TrainingOps['attention'] {
  return (qkv, heads) =>
    tf.tidy(() => tf.engine().runKernel<[Tensor, Tensor]>(forwardName, { qkv }, { heads })[0]);
}
