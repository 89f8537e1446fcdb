import { fillBatch, imagenetPreprocessing } from '../../data/batch';
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
  readonly split: Split;
  readonly params: Pick<ClassifierParams, 'batch_size' | 'seed' | 'augmentation'>;
  /** Inputs of the network's last layer. */
  readonly headInputs: number;
}

/**
 * Makes a run's batches. What is random in a batch depends on seed, epoch and step alone, so that a run can go on from
 * any step, and any number of workers may share a batch.
 */
export class Batches {
  private order: { epoch: number; indices: Int32Array } | undefined;

  constructor(private readonly facts: BatchFacts) {}

  /** Steps of an epoch. */
  get steps(): number {
    return Math.ceil(this.facts.split.train.length / this.facts.params.batch_size);
  }

  get validationSteps(): number {
    return Math.ceil(this.facts.split.validation.length / this.facts.params.batch_size);
  }

  /** Images of a training step. */
  imagesOf(step: number): number {
    const { split, params } = this.facts;
    return Math.min(params.batch_size, split.train.length - step * params.batch_size);
  }

  /** @param epoch from 0 @param step from 0, within the epoch */
  training(epoch: number, step: number): Batch {
    const { split, params, dataset, headInputs } = this.facts;
    if (this.order?.epoch !== epoch) {
      this.order = { epoch, indices: epochOrder(split.train, params.seed, epoch) };
    }
    const indices = sliceOf(this.order.indices, step, params.batch_size);
    const flip = Random.seeded('augmentation', params.seed, epoch, step);
    return {
      ...imagesAndLabels(dataset, indices, flip),
      mask: {
        data: dropoutMask(indices.length * headInputs, Random.seeded('dropout', params.seed, epoch, step)),
        shape: [indices.length, headInputs],
      },
    };
  }

  validation(step: number): Batch {
    const { split, params, dataset } = this.facts;
    return imagesAndLabels(dataset, sliceOf(split.validation, step, params.batch_size));
  }
}

/** The images of `indices` as a network sees them when it is used, and their labels. */
export function imagesAndLabels(dataset: Dataset, indices: Int32Array, flip?: Random): Batch {
  const side = dataset.imageSize;
  const pixels = new Float32Array(indices.length * side * side * 3);
  fillBatch(dataset, indices, pixels, { ...imagenetPreprocessing, ...(flip === undefined ? {} : { flip }) });
  return {
    images: { data: pixels, shape: [indices.length, side, side, 3] },
    labels: { data: indices.map((index) => dataset.labels[index] ?? 0), shape: [indices.length] },
  };
}

function sliceOf(indices: Int32Array, step: number, size: number): Int32Array {
  return indices.subarray(step * size, (step + 1) * size);
}

/** 0 for what is dropped, and for the rest what keeps the mean as it was (Srivastava et al., "Dropout", 2014). */
function dropoutMask(length: number, random: Random): Float32Array {
  const kept = 1 / (1 - DROPOUT);
  return Float32Array.from({ length }, () => (random.uniform() < DROPOUT ? 0 : kept));
}
