import { imagenetPreprocessing } from '../../data/batch';
import type { BatchesOptions, ImageBatch } from '../../data/batches';
import type { BatchWorkers } from '../../data/batchWorkers';
import { createBatches } from '../../data/batches';
import type { Dataset } from '../../data/dataset';
import { Random } from '../../data/random';
import type { Split } from '../../data/split';
import { epochOrder } from '../../data/split';
import type { Batch } from '../task';
import type { ClassifierParams } from './params';

/** Share of the last layer's inputs that training drops. */
const DROPOUT = 0.3;

export interface BatchFacts {
  readonly dataset: Dataset;
  readonly workers?: BatchWorkers | undefined;
  readonly split: Split;
  readonly params: Pick<ClassifierParams, 'batch_size' | 'seed' | 'augmentation'>;
  /** Inputs of the network's last layer. */
  readonly headInputs: number;
}

/**
 * Makes a run's batches; each is to be used before the next one is asked for. What is random in a batch depends on
 * seed, epoch, step and image alone, so that a run can go on from any step, and any number of workers may share a batch.
 */
export class Batches {
  private hasBegun = false;

  constructor(private readonly facts: BatchFacts) {}

  /** Steps of an epoch. */
  get steps(): number {
    return Math.ceil(this.facts.split.train.length / this.facts.params.batch_size);
  }

  /** @param epoch from 0 @param first step of the epoch to begin with, from 0 */
  async *training(epoch: number, first: number): AsyncGenerator<Batch, void, undefined> {
    const { dataset, split, params, headInputs, workers } = this.facts;
    const { seed, batch_size, augmentation } = params;
    const batches = createBatches(
      dataset,
      epochOrder(split.train, seed, epoch).subarray(first * batch_size),
      {
        ...imagenetPreprocessing,
        batchSize: batch_size,
        workers,
        firstAlone: !this.hasBegun,
        augmentation: { level: augmentation, random: Random.seeded('augmentation', seed, epoch) },
      },
    );
    this.hasBegun = true;
    let step = first;
    for await (const images of batches) {
      const length = images.labels.length * headInputs;
      yield {
        ...imagesAndLabels(images),
        mask: {
          data: dropoutMask(length, Random.seeded('dropout', seed, epoch, step)),
          shape: [images.labels.length, headInputs],
        },
      };
      step += 1;
    }
  }

  validation(): AsyncGenerator<Batch, void, undefined> {
    const { dataset, split, params, workers } = this.facts;
    return plainBatches(dataset, split.validation, { batchSize: params.batch_size, workers });
  }
}

/** The images of `indices` as a network sees them when it is used, with their labels. */
export async function* plainBatches(
  dataset: Dataset,
  indices: Int32Array,
  options: Pick<BatchesOptions, 'batchSize' | 'workers'>,
): AsyncGenerator<Batch, void, undefined> {
  for await (const images of createBatches(dataset, indices, { ...imagenetPreprocessing, ...options })) {
    yield imagesAndLabels(images);
  }
}

/** Number of images of a batch. */
export function sizeOf(batch: Batch): number {
  return batch.labels?.data.length ?? 0;
}

function imagesAndLabels({ images, labels }: ImageBatch): Batch {
  const side = Math.sqrt(images.length / labels.length / 3);
  return {
    images: { data: images, shape: [labels.length, side, side, 3] },
    labels: { data: labels, shape: [labels.length] },
  };
}

/** 0 for what is dropped, and for the rest what keeps the mean as it was (Srivastava et al., "Dropout", 2014). */
function dropoutMask(length: number, random: Random): Float32Array {
  const kept = 1 / (1 - DROPOUT);
  return Float32Array.from({ length }, () => (random.uniform() < DROPOUT ? 0 : kept));
}
