import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RunContext } from '../recipe';
import { RunFailure } from '../recipe';
import type { Learner } from '../task';
import type { Batches } from './batches';
import { sizeOf } from './batches';
import type { ClassifierParams } from './params';
import type { Progress } from './progress';
import { learningRate } from './schedule';

/** Decoupled from the gradient (AdamW; Loshchilov and Hutter, 2019), as the engine's optimiser has it. */
const WEIGHT_DECAY = 1e-4;

/** Progress events come no more often than this; the first step and the last of an epoch always have one. */
const PROGRESS_INTERVAL_MS = 100;

export interface Training {
  run: RunContext;
  learner: Learner;
  params: ClassifierParams;
  batches: Batches;
  /** Called after every step. */
  firstStepDone: () => void;
}

export interface EpochScore {
  train_loss: number;
  train_acc: number;
  lr: number;
  /** Images trained on in each second, validation not counted. */
  images_per_second: number;
}

/**
 * Trains what is left of an epoch, `progress.epoch` from 0.
 * @param progress brought up to date after every step
 * @returns undefined if the run was told to stop: the running step was finished, the rest of the epoch left out
 */
export async function trainEpoch(training: Training, progress: Progress): Promise<EpochScore | undefined> {
  const { run, learner, params, batches } = training;
  const { epoch } = progress;
  const { steps } = batches;
  const rateOf = (step: number) =>
    learningRate(epoch * steps + step, {
      highest: params.lr,
      warmupSteps: params.warmup_epochs * steps,
      totalSteps: params.epochs * steps,
    });
  const startedAt = performance.now();
  let toldAt = -Infinity;
  let images = 0;
  const imagesPerSecond = () => images / Math.max(1e-3, (performance.now() - startedAt) / 1000);
  for await (const batch of batches.training(epoch, progress.step)) {
    const { step } = progress;
    const score = await learner.step(batch, {
      learningRate: rateOf(step),
      gradientClip: params.gradient_clip,
      weightDecay: WEIGHT_DECAY,
    });
    checkFinite(score.loss, `loss became ${score.loss} at step ${step + 1}`, training, progress);
    const count = sizeOf(batch);
    progress.step = step + 1;
    progress.images += count;
    progress.lossSum += score.loss * count;
    progress.correct += score.sums.correct ?? 0;
    training.firstStepDone();
    images += count;
    const now = performance.now();
    if (now - toldAt >= PROGRESS_INTERVAL_MS || progress.step === steps) {
      toldAt = now;
      run.emit({
        type: 'step',
        epoch: epoch + 1,
        epochs: params.epochs,
        step: step + 1,
        steps,
        loss: score.loss,
        lr: rateOf(step),
        images_per_second: imagesPerSecond(),
      });
    }
    // Lets the supervisor's word in: a stop ends the run between two steps.
    await nextTurn();
    if (run.stop.aborted) {
      return undefined;
    }
  }
  return {
    train_loss: progress.lossSum / progress.images,
    train_acc: progress.correct / progress.images,
    lr: rateOf(steps - 1),
    images_per_second: imagesPerSecond(),
  };
}

/**
 * @returns undefined if the run was told to stop before all was scored
 * @throws RunFailure where the network gives no finite loss on images that it was not trained on
 */
export async function validate(
  training: Training,
  progress: Progress,
): Promise<{ val_loss: number; val_acc: number } | undefined> {
  const { run, learner, batches } = training;
  const total = { images: 0, lossSum: 0, correct: 0 };
  for await (const batch of batches.validation()) {
    const { loss, sums } = await learner.evaluate(batch);
    const images = sizeOf(batch);
    total.images += images;
    total.lossSum += loss * images;
    total.correct += sums.correct ?? 0;
    await nextTurn();
    if (run.stop.aborted) {
      return undefined;
    }
  }
  const loss = total.lossSum / total.images;
  checkFinite(loss, `validation loss became ${loss} at the end`, training, progress);
  return { val_loss: loss, val_acc: total.correct / total.images };
}

function checkFinite(loss: number, what: string, { params }: Training, { epoch }: Progress): void {
  if (!Number.isFinite(loss)) {
    throw new RunFailure(
      'diverged',
      `The ${what} of epoch ${epoch + 1}. Train with a lower lr (it is ${params.lr}).`,
    );
  }
}
