import * as v from 'valibot';
import { count } from '../../protocol/schema';

/** What a checkpoint scored on a data set. */
export const evaluationSchema = v.object({
  images: count,
  correct: count,
  /** 0 to 1 */
  accuracy: v.number(),
  /** Mean cross entropy. */
  loss: v.number(),
  classes: v.array(
    v.object({
      name: v.string(),
      images: count,
      correct: count,
      /** null without images */
      accuracy: v.nullable(v.number()),
    }),
  ),
  /** Images by class (row) and by predicted class (column), in the order of `classes`. */
  confusion: v.array(v.array(count)),
  skipped: count,
  split: v.picklist(['all', 'train', 'val']),
  engine: v.string(),
  device: v.string(),
});
export type Evaluation = v.InferOutput<typeof evaluationSchema>;
export type EvaluatedSplit = Evaluation['split'];

/** The checkpoint or the data cannot be evaluated; `message` says why and what to do. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}
