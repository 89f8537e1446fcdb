import * as v from 'valibot';
import type { ParameterValues } from '../../../protocol/parameters';
import { checkParameters } from '../../../protocol/parameters';
import { CLASSIFIER } from '../../../protocol/recipes';
import { parse } from '../../../protocol/schema';

const schema = v.object({
  data_dir: v.string(),
  epochs: v.number(),
  batch_size: v.number(),
  lr: v.number(),
  backbone: v.literal('tiny_cnn'),
  output: v.string(),
  num_workers: v.number(),
  pretrained: v.boolean(),
  mixed_precision: v.boolean(),
  gradient_clip: v.number(),
  warmup_epochs: v.number(),
  seed: v.number(),
  image_size: v.number(),
  val_split: v.number(),
});
export type ClassifierParams = v.InferOutput<typeof schema>;

/** @throws ParameterError if a value does not fit */
export function classifierParams(given: ParameterValues): ClassifierParams {
  return parse(schema, checkParameters(CLASSIFIER, given), 'parameters');
}
