import type { Dataset } from '../../data/dataset';
import type { Preprocessing } from '../../data/batch';
import { Random } from '../../data/random';
import { epochOrder } from '../../data/split';
import type { Batch } from '../task';
import { flowBatch } from './flow';
import type { DitShape } from './network';
import type { DitParams } from './params';

const CHANNELS = 3;

/** Images lie in [-1, 1]. */
export const ditPreprocessing: Preprocessing = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/**
 * The batches of a run. What a step is trained on depends on the seed and the step's number alone, so that a resumed
 * run goes on exactly as the first would have.
 */
export class Examples {
  private readonly all: Int32Array;
  private order: { epoch: number; indices: Int32Array } | undefined;

  constructor(
    private readonly dataset: Dataset,
    private readonly shape: DitShape,
    private readonly params: DitParams,
  ) {
    this.all = Int32Array.from({ length: dataset.count }, (_, index) => index);
  }

  /** Images in one optimiser step. */
  get imagesPerStep(): number {
    return this.params.batch_size * this.params.gradient_accumulation;
  }

  /** Passes over the data, counted from 1, that are begun once `steps` steps are done. */
  epochAt(steps: number): number {
    return Math.max(1, Math.ceil((steps * this.imagesPerStep) / this.dataset.count));
  }

  /** The batches of one step. @param step from 0 */
  async of(step: number): Promise<Batch[]> {
    const { batch_size, gradient_accumulation, seed, class_dropout } = this.params;
    const random = Random.seeded('flow', seed, step);
    const batches: Batch[] = [];
    for (let part = 0; part < gradient_accumulation; part += 1) {
      const first = (step * gradient_accumulation + part) * batch_size;
      const indices = Int32Array.from({ length: batch_size }, (_, index) => this.indexAt(first + index));
      const bytes = new Uint8Array(batch_size * this.shape.imageSize ** 2 * 3);
      await this.dataset.readImages(indices, bytes);
      const images = normalised(bytes, this.shape.imageSize, random);
      const labels = indices.map((index) => this.dataset.labels[index] ?? 0);
      batches.push(flowBatch(images, labels, random, { shape: this.shape, classDropout: class_dropout }));
    }
    return batches;
  }

  /** The image at a place in the endless row of shuffled passes. */
  private indexAt(place: number): number {
    const epoch = Math.floor(place / this.dataset.count);
    if (this.order?.epoch !== epoch) {
      this.order = { epoch, indices: epochOrder(this.all, this.params.seed, epoch) };
    }
    return this.order.indices[place % this.dataset.count] ?? 0;
  }
}

/** Bytes, NHWC, as numbers in [-1, 1]; each image is mirrored left to right with probability one half. */
function normalised(bytes: Uint8Array, side: number, random: Random): Float32Array {
  const images = new Float32Array(bytes.length);
  const rowLength = side * CHANNELS;
  const imageLength = side * rowLength;
  for (let image = 0; image < bytes.length; image += imageLength) {
    const mirrored = random.uniform() < 0.5;
    for (let row = image; row < image + imageLength; row += rowLength) {
      for (let at = 0; at < rowLength; at += CHANNELS) {
        const from = row + (mirrored ? rowLength - CHANNELS - at : at);
        for (let channel = 0; channel < CHANNELS; channel += 1) {
          images[row + at + channel] = (bytes[from + channel] ?? 0) / 127.5 - 1;
        }
      }
    }
  }
  return images;
}
