import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dataset } from '../../data/dataset';
import { fillBatch, imagenetPreprocessing } from '../../data/batch';
import { Random } from '../../data/random';
import type { Split } from '../../data/split';
import { epochOrder } from '../../data/split';
import type { Engine } from '../../engines/engine';
import type { AdamOptimizer } from '../../engines/trainingOps';
import type { RunContext } from '../recipe';
import { RunFailure } from '../recipe';
import type { ClassifierParams } from './params';
import { learningRate } from './schedule';
import type { Network } from './tinyCnn';
import type { Batch, BatchScore } from './trainStep';
import { evaluateBatch, trainStep } from './trainStep';

/** Progress events come no more often than this; the first step and the last of an epoch always have one. */
const PROGRESS_INTERVAL_MS = 100;

export interface Training {
  run: RunContext;
  engine: Engine;
  network: Network;
  optimizer: AdamOptimizer;
  params: ClassifierParams;
  dataset: Dataset;
  split: Split;
}

export interface EpochScore {
  train_loss: number;
  train_acc: number;
  lr: number;
  /** Images trained on in each second, validation not counted. */
  images_per_second: number;
}

/**
 * Trains one epoch.
 * @param epoch from 0
 * @returns undefined if the run was told to stop: the running step was finished, the rest of the epoch left out
 */
export async function trainEpoch(training: Training, epoch: number): Promise<EpochScore | undefined> {
  const { run, engine, network, optimizer, params, dataset, split } = training;
  const order = epochOrder(split.train, params.seed, epoch);
  const steps = Math.ceil(order.length / params.batch_size);
  const flip = Random.seeded('augmentation', params.seed, epoch);
  const total = new MeanScore();
  const startedAt = performance.now();
  let toldAt = -Infinity;
  let rate = 0;
  for (let step = 0; step < steps; step += 1) {
    rate = learningRate(epoch * steps + step, {
      highest: params.lr,
      warmupSteps: params.warmup_epochs * steps,
      totalSteps: params.epochs * steps,
    });
    const indices = order.subarray(step * params.batch_size, (step + 1) * params.batch_size);
    const batch = makeBatch(dataset, indices, flip);
    const score = trainStep(engine, network, optimizer, batch, {
      learningRate: rate,
      gradientClip: params.gradient_clip,
    });
    if (!Number.isFinite(score.loss)) {
      throw new RunFailure(
        'diverged',
        `The loss became ${score.loss} at step ${step + 1} of epoch ${epoch + 1}. Train with a lower lr (it is ${params.lr}).`,
      );
    }
    total.add(score, indices.length);
    if (epoch === 0 && step === 0) {
      run.firstStepDone();
    }
    const now = performance.now();
    if (now - toldAt >= PROGRESS_INTERVAL_MS || step === steps - 1) {
      toldAt = now;
      run.emit({
        type: 'step',
        epoch: epoch + 1,
        epochs: params.epochs,
        step: step + 1,
        steps,
        loss: score.loss,
        lr: rate,
        images_per_second: total.images / ((now - startedAt) / 1000),
      });
    }
    // Lets the supervisor's word in: a stop ends the run between two steps.
    await nextTurn();
    if (run.stop.aborted) {
      return undefined;
    }
  }
  return {
    train_loss: total.loss,
    train_acc: total.accuracy,
    lr: rate,
    images_per_second: total.images / ((performance.now() - startedAt) / 1000),
  };
}

/** @returns undefined if the run was told to stop before all was scored */
export async function validate(
  training: Training,
): Promise<{ val_loss: number; val_acc: number } | undefined> {
  const { run, engine, network, params, dataset, split } = training;
  const total = new MeanScore();
  for (let start = 0; start < split.validation.length; start += params.batch_size) {
    const indices = split.validation.subarray(start, start + params.batch_size);
    total.add(evaluateBatch(engine, network, makeBatch(dataset, indices)), indices.length);
    await nextTurn();
    if (run.stop.aborted) {
      return undefined;
    }
  }
  return { val_loss: total.loss, val_acc: total.accuracy };
}

function makeBatch(dataset: Dataset, indices: Int32Array, flip?: Random): Batch {
  const side = dataset.imageSize;
  const pixels = new Float32Array(indices.length * side * side * 3);
  fillBatch(dataset, indices, pixels, { ...imagenetPreprocessing, ...(flip === undefined ? {} : { flip }) });
  return { pixels, labels: indices.map((index) => dataset.labels[index] ?? 0), side };
}

/** Means over images, whatever the sizes of the batches. */
class MeanScore {
  images = 0;
  private lossSum = 0;
  private correct = 0;

  add({ loss, correct }: BatchScore, images: number): void {
    this.images += images;
    this.lossSum += loss * images;
    this.correct += correct;
  }

  get loss(): number {
    return this.lossSum / this.images;
  }

  get accuracy(): number {
    return this.correct / this.images;
  }
}
