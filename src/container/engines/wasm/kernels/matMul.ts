import type { TensorInfo } from '@tensorflow/tfjs-core';
import { registerWasmKernel, type WasmContext } from '../context';
import type { KernelCall } from '../kernelCall';
import { multiply, multiplyScratchBytes } from './gemm';

/** For each matrix of the broadcast batch, the index of the operand's matrix. */
function batchIndices(operand: readonly number[], batch: readonly number[]): number[] {
  let indices = [0];
  const missing = batch.length - operand.length;
  batch.forEach((extent, axis) => {
    const own = axis < missing ? 1 : (operand[axis - missing] ?? 1);
    const grow = (index: number) =>
      Array.from({ length: extent }, (_, step) => index * own + (own === 1 ? 0 : step));
    indices = indices.flatMap(grow);
  });
  return indices;
}

function batchMatMul(context: WasmContext, call: KernelCall): TensorInfo | TensorInfo[] {
  const { tf, heap } = context;
  const a = call.input('a');
  const b = call.input('b');
  if (a.dtype !== 'float32' || b.dtype !== 'float32') return call.stock();
  const transposeA = call.flag('transposeA');
  const transposeB = call.flag('transposeB');
  const [rowsA = 1, columnsA = 1] = a.shape.slice(-2);
  const [rowsB = 1, columnsB = 1] = b.shape.slice(-2);
  const [rows, depth] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [depthB, columns] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  if (depth !== depthB) {
    throw new Error(
      `matMul: inner shapes ${depth} and ${depthB} differ (${a.shape.join('x')}, ${b.shape.join('x')})`,
    );
  }
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
  const out = heap.allocate([...batch, rows, columns]);
  const indicesB = batchIndices(batchB, batch);
  heap.withScratch(multiplyScratchBytes(context, columns, depth), (scratch) => {
    batchIndices(batchA, batch).forEach((indexA, index) => {
      const indexB = indicesB[index] ?? 0;
      multiply(
        context,
        {
          address: heap.address(a) + indexA * rows * depth * 4,
          rows,
          columns: depth,
          transposed: transposeA,
        },
        {
          address: heap.address(b) + indexB * depth * columns * 4,
          rows: depth,
          columns,
          transposed: transposeB,
        },
        heap.address(out) + index * rows * columns * 4,
        scratch,
      );
    });
  });
  return out;
}

/** Registers BatchMatMul: any transpose, broadcast batches. */
export function installMatMul(context: WasmContext): void {
  registerWasmKernel(context.tf, context.tf.BatchMatMul, (call) => batchMatMul(context, call));
}
