import { setImmediate as nextTurn } from 'node:timers/promises';
import { BatchFiller, type BatchOptions } from './batch';
import type { Dataset } from './dataset';

export type BatchesOptions = BatchOptions & {
  readonly batchSize: number;
  /** Batches made ready before they are asked for, at least 1; 2 by default. */
  readonly ahead?: number;
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
 * The images of `order` in batches; the last may be smaller. The next batches are read from disk, or made while the
 * caller waits for something else, as for a step that workers compute. The same batches come from memory and disk.
 *
 * @throws {RangeError} if an index is not in the data set
 * @throws Error if the images cannot be read from disk any more
 */
export async function* createBatches(
  dataset: Pick<Dataset, 'images' | 'imageSize' | 'labels' | 'readImages'>,
  order: Int32Array,
  options: BatchesOptions,
): AsyncGenerator<ImageBatch, void, undefined> {
  const { batchSize, ahead = 2 } = options;
  const { images, imageSize, labels } = dataset;
  for (const index of order) {
    if (index < 0 || index >= labels.length) throw new RangeError(`The data set has no image ${index}.`);
  }
  const imageLength = imageSize * imageSize * 3;
  const filler = new BatchFiller(imageSize, options);
  const inOrder = Int32Array.from({ length: batchSize }, (_, position) => position);
  // One batch is with the caller, the others are being made.
  const buffers = Array.from({ length: ahead + 1 }, () => ({
    floats: new Float32Array(batchSize * imageLength),
    bytes: new Uint8Array(images ? 0 : batchSize * imageLength),
  }));

  const make = async (start: number): Promise<ImageBatch> => {
    const indices = order.subarray(start, start + batchSize);
    const buffer = buffers[(start / batchSize) % buffers.length];
    if (!buffer) throw new Error('A batch has no buffer.');
    const floats = buffer.floats.subarray(0, indices.length * imageLength);
    if (images) {
      // The first is waited for; the others leave the thread to the caller first.
      if (start > 0) await nextTurn();
      filler.fill(images, indices, indices, floats);
    } else {
      await dataset.readImages(indices, buffer.bytes);
      filler.fill(buffer.bytes, inOrder.subarray(0, indices.length), indices, floats);
    }
    return { indices, labels: indices.map((index) => labels[index] ?? 0), images: floats };
  };

  const window: Promise<ImageBatch>[] = [];
  const begin = (start: number): void => {
    if (start >= order.length) return;
    const batch = make(start);
    // Whoever takes it from the window handles it; until then it is not an unhandled rejection.
    batch.catch(() => undefined);
    window.push(batch);
  };
  try {
    for (let i = 0; i < ahead; i++) begin(i * batchSize);
    for (let start = 0; start < order.length; start += batchSize) {
      const batch = await window.shift();
      if (!batch) return;
      begin(start + ahead * batchSize);
      yield batch;
    }
  } finally {
    await Promise.allSettled(window);
  }
}
