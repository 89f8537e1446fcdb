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
  /** What was scored: with `auto` whichever fits the folder. */
  split: v.picklist(['all', 'train', 'val']),
  /** Images of the folder, scored or not. */
  of_images: count,
  /** Whether the folder is the run's own and has other images than it had: then its split is another, too. */
  images_changed: v.boolean(),
  engine: v.string(),
  device: v.string(),
});
export type Evaluation = v.InferOutput<typeof evaluationSchema>;
/** `auto`: `val` where the folder is the one that the checkpoint was trained on, else `all`. */
export type EvaluatedSplit = Evaluation['split'] | 'auto';

/** The checkpoint or the data cannot be evaluated; `message` says why and what to do. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}
