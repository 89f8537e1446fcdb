import * as v from 'valibot';
import { count } from '../../../protocol/schema';

const scoreSchema = v.object({ epoch: count, val_acc: v.number(), val_loss: v.number() });

/** How far a run has come: with the weights and the optimiser, all that is needed to go on with it. */
export const progressSchema = v.object({
  /** Epochs finished. */
  epoch: count,
  /** Steps finished of the epoch after those. */
  step: count,
  /** Sums over the images of those steps. */
  images: count,
  lossSum: v.number(),
  correct: count,
  /** Of the last finished epoch. */
  last: v.nullable(scoreSchema),
  /** The epoch with the highest validation accuracy. */
  best: v.nullable(scoreSchema),
});
export type Progress = v.InferOutput<typeof progressSchema>;
export type EpochResult = v.InferOutput<typeof scoreSchema>;

export const START: Progress = {
  epoch: 0,
  step: 0,
  images: 0,
  lossSum: 0,
  correct: 0,
  last: null,
  best: null,
};
