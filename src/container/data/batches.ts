import { setImmediate as nextTurn } from 'node:timers/promises';
import { BatchFiller, type BatchOptions } from './batch';
import type { BatchWorkers } from './batchWorkers';
import type { Dataset } from './dataset';

export type BatchesOptions = BatchOptions & {
  readonly batchSize: number;
  /** Batches made ready before they are asked for, at least 1; 2 by default, or enough to keep the workers busy. */
  readonly ahead?: number;
  /** Make the batches if they can, apart from the first, which is not to wait for a thread. */
  readonly workers?: BatchWorkers | undefined;
  /** Begin no other batch until the first was used, so that a run's first step has the machine to itself. */
  readonly firstAlone?: boolean;
};

/** One batch of n images. Its `images` are written over once the next batch is asked for. */
export type ImageBatch = {
  /** Which images of the data set these are, shape [n]. */
  readonly indices: Int32Array;
  /** Class indices, shape [n]. */
  readonly labels: Int32Array;
  /** Normalised and varied, shape [n, size, size, 3]. */
  readonly images: Float32Array;
};

/**
 * The images of `order` in batches; the last may be smaller. The next batches are read from disk, and made by
 * workers or while the caller waits for something else, as for a step that others compute; no more than `ahead` of them
 * wait to be asked for. The same batches come from memory and disk, and from any number of workers.
 *
 * @throws {RangeError} if an index is not in the data set
 * @throws Error if the images cannot be read from disk any more
 */
export async function* createBatches(
  dataset: Pick<Dataset, 'images' | 'imageSize' | 'labels' | 'readImages'>,
  order: Int32Array,
  options: BatchesOptions,
): AsyncGenerator<ImageBatch, void, undefined> {
  const { batchSize, workers, ahead = Math.max(2, (workers?.ready ?? 0) + 1) } = options;
  const { firstAlone = false } = options;
  const { images, imageSize, labels } = dataset;
  for (const index of order) {
    if (index < 0 || index >= labels.length) throw new RangeError(`The data set has no image ${index}.`);
  }
  const imageLength = imageSize * imageSize * 3;
  const filler = new BatchFiller(imageSize, options);
  const inOrder = Int32Array.from({ length: batchSize }, (_, position) => position);
  // One batch is with the caller, the others are being made.
  const buffers = Array.from({ length: ahead + 1 }, () => ({
    floats: new Float32Array(new SharedArrayBuffer(batchSize * imageLength * Float32Array.BYTES_PER_ELEMENT)),
    bytes: new Uint8Array(new SharedArrayBuffer(images ? 0 : batchSize * imageLength)),
  }));

  const batchOf = (indices: Int32Array, floats: Float32Array): ImageBatch => ({
    indices,
    labels: indices.map((index) => labels[index] ?? 0),
    images: floats,
  });
  const make = async (start: number): Promise<ImageBatch> => {
    const indices = order.subarray(start, start + batchSize);
    const buffer = buffers[(start / batchSize) % buffers.length];
    if (!buffer) throw new Error('A batch has no buffer.');
    const floats = buffer.floats.subarray(0, indices.length * imageLength);
    const positions = images ? indices : inOrder.subarray(0, indices.length);
    if (!images) await dataset.readImages(indices, buffer.bytes);
    const from = images ?? buffer.bytes;
    if (start > 0 && workers) {
      const job = { imageSize, options, images: from, positions, indices, out: floats };
      if (await workers.fill(job)) return batchOf(indices, floats);
    }
    // The first is waited for; the others leave the thread to the caller first. Workers have the others by then.
    if (start > 0) await nextTurn();
    else await Promise.resolve();
    filler.fill(from, positions, indices, floats);
    return batchOf(indices, floats);
  };

  const window: Promise<ImageBatch>[] = [];
  let begun = 0;
  const begin = (start: number): void => {
    if (start >= order.length) return;
    const batch = make(start);
    // Whoever takes it from the window handles it; until then it is not an unhandled rejection.
    batch.catch(() => undefined);
    window.push(batch);
  };
  try {
    const beginUpTo = (batches: number): void => {
      while (begun < batches) begin(begun++ * batchSize);
    };
    beginUpTo(firstAlone ? 1 : ahead);
    for (let start = 0; start < order.length; start += batchSize) {
      const batch = await window.shift();
      if (!batch) return;
      const next = start / batchSize + ahead + 1;
      if (start > 0 || !firstAlone) beginUpTo(next);
      yield batch;
      beginUpTo(next);
    }
  } finally {
    await Promise.allSettled(window);
  }
}
