import type { Batch, BatchArray } from '../recipes/task';
import type { SharedBatch } from './protocol';
import { examplesOf } from './replica';

const BYTES = 4;
const ALIGNMENT = 64;

/** Shared memory that batches are copied into for the workers; grows with them. */
export class BatchBuffer {
  private shared = new SharedArrayBuffer(0);

  /** Copies batches in and tells where they are. */
  write(batches: readonly Batch[]): { buffer: SharedArrayBuffer; batches: SharedBatch[] } {
    let end = 0;
    const placed: { array: BatchArray; offset: number }[] = [];
    const described = batches.map((batch): SharedBatch => {
      const arrays = Object.entries(batch).map(([name, array]) => {
        const offset = end;
        placed.push({ array, offset });
        end += Math.ceil((array.data.length * BYTES) / ALIGNMENT) * ALIGNMENT;
        const kind = array.data instanceof Int32Array ? ('int32' as const) : ('float32' as const);
        return { name, kind, offset, shape: [...array.shape] };
      });
      return { examples: examplesOf(batch), arrays };
    });
    if (this.shared.byteLength < end) this.shared = new SharedArrayBuffer(end);
    for (const { array, offset } of placed) {
      const kind = array.data instanceof Int32Array ? 'int32' : 'float32';
      viewOf(kind, this.shared, offset, array.data.length).set(array.data);
    }
    return { buffer: this.shared, batches: described };
  }
}

/** The examples [from, to) of a batch that worker `index` of `workers` computes; the first have one more. */
export function partOf(examples: number, index: number, workers: number): { from: number; to: number } {
  const each = Math.floor(examples / workers);
  const longer = examples % workers;
  const from = index * each + Math.min(index, longer);
  return { from, to: from + each + (index < longer ? 1 : 0) };
}

/** A view of the examples [from, to) of a shared batch. */
export function readPart(
  buffer: SharedArrayBuffer,
  { arrays }: SharedBatch,
  { from, to }: { from: number; to: number },
): Batch {
  const views = arrays.map(({ name, kind, offset, shape }): [string, BatchArray] => {
    const [, ...rest] = shape;
    const length = rest.reduce((product, extent) => product * extent, 1);
    const data = viewOf(kind, buffer, offset + from * length * BYTES, (to - from) * length);
    return [name, { data, shape: [to - from, ...rest] }];
  });
  return Object.fromEntries(views);
}

function viewOf(
  kind: 'float32' | 'int32',
  buffer: SharedArrayBuffer,
  offset: number,
  length: number,
): Float32Array | Int32Array {
  return kind === 'int32' ? new Int32Array(buffer, offset, length) : new Float32Array(buffer, offset, length);
}
