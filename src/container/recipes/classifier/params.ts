import * as v from 'valibot';
import { AUGMENTATIONS } from '../../../protocol/augmentation';
import { BACKBONES, automaticBackbone } from '../../../protocol/backbones';
import type { ParameterValues } from '../../../protocol/parameters';
import { checkParameters } from '../../../protocol/parameters';
import { CLASSIFIER } from '../../../protocol/recipes';
import { parse } from '../../../protocol/schema';

const schema = v.object({
  data_dir: v.string(),
  epochs: v.number(),
  batch_size: v.number(),
  lr: v.number(),
  backbone: v.picklist(['auto', ...BACKBONES]),
  output: v.string(),
  num_workers: v.number(),
  pretrained: v.union([v.boolean(), v.string()]),
  mixed_precision: v.boolean(),
  gradient_clip: v.number(),
  warmup_epochs: v.number(),
  seed: v.number(),
  image_size: v.number(),
  val_split: v.number(),
  augmentation: v.picklist(AUGMENTATIONS),
  early_stopping_patience: v.number(),
  init_from: v.string(),
  resume: v.string(),
});

type Given = v.InferOutput<typeof schema>;

export interface ClassifierParams extends Given {
  /** What `auto` came to. */
  backbone: (typeof BACKBONES)[number];
}

/** @param engine name of the engine that trains, on which `backbone: auto` depends @throws ParameterError if a value does not fit */
export function classifierParams(given: ParameterValues, engine: string): ClassifierParams {
  const params = parse(schema, checkParameters(CLASSIFIER, given), 'parameters');
  const { backbone } = params;
  return { ...params, backbone: backbone === 'auto' ? automaticBackbone(engine) : backbone };
}
