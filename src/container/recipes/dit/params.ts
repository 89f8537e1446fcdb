import * as v from 'valibot';
import { DIT } from '../../../protocol/dit';
import type { ParameterValues } from '../../../protocol/parameters';
import { checkParameters } from '../../../protocol/parameters';
import { parse } from '../../../protocol/schema';
import type { DitShape } from './network';

const schema = v.object({
  data_dir: v.string(),
  steps: v.number(),
  batch_size: v.number(),
  lr: v.number(),
  image_size: v.number(),
  patch_size: v.number(),
  width: v.number(),
  depth: v.number(),
  heads: v.number(),
  output: v.string(),
  resume: v.string(),
  sample_interval: v.number(),
  sample_steps: v.number(),
  guidance_scale: v.number(),
  class_dropout: v.number(),
  ema_decay: v.number(),
  warmup_steps: v.number(),
  weight_decay: v.number(),
  gradient_clip: v.number(),
  gradient_accumulation: v.number(),
  num_workers: v.number(),
  seed: v.number(),
});
export type DitParams = v.InferOutput<typeof schema>;

/** @throws ParameterError if a value does not fit */
export function ditParams(given: ParameterValues): DitParams {
  return parse(schema, checkParameters(DIT, given), 'parameters');
}

export function shapeOf(params: DitParams, classes: number): DitShape {
  return {
    imageSize: params.image_size,
    patchSize: params.patch_size,
    width: params.width,
    depth: params.depth,
    heads: params.heads,
    classes,
  };
}

/** Which sizes do not go together, in words for the user; undefined if all do. */
export function sizeProblem({ image_size, patch_size, width, heads }: DitParams): string | undefined {
  if (image_size % patch_size !== 0) {
    return `image_size: expected a multiple of the patch size ${patch_size}, got ${image_size}`;
  }
  if (width % 4 !== 0 || width % heads !== 0) {
    return `width: expected a multiple of 4 and of the ${heads} heads, got ${width}`;
  }
  return undefined;
}
