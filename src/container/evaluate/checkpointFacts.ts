import * as v from 'valibot';
import { BACKBONES } from '../../protocol/backbones';
import { parse } from '../../protocol/schema';
import { readHeader } from '../../volume/safetensors';
import { storedStemChannels } from '../recipes/classifier/networks';
import { EvaluationError } from './evaluation';

const metadataSchema = v.object({
  recipe: v.literal('classifier'),
  backbone: v.picklist(BACKBONES),
  classes: v.string(),
  preprocessing: v.string(),
  params: v.string(),
  images_per_class: v.optional(v.string()),
});

const rgb = v.strictTuple([v.number(), v.number(), v.number()]);
const preprocessingSchema = v.object({ image_size: v.pipe(v.number(), v.integer()), mean: rgb, std: rgb });
const paramsSchema = v.object({
  data_dir: v.string(),
  seed: v.number(),
  val_split: v.number(),
  batch_size: v.pipe(v.number(), v.integer(), v.minValue(1)),
});

export interface CheckpointFacts {
  readonly backbone: (typeof BACKBONES)[number];
  /** Of a `tiny_cnn`. */
  readonly stemChannels: number | undefined;
  readonly classes: readonly string[];
  readonly preprocessing: v.InferOutput<typeof preprocessingSchema>;
  /** Of the run that wrote it. */
  readonly params: v.InferOutput<typeof paramsSchema>;
  /** That the run had, in the order of `classes`; undefined where the checkpoint does not say. */
  readonly imagesPerClass: readonly number[] | undefined;
}

/** What a classifier's checkpoint says of itself. @throws EvaluationError if it is none; SafetensorsError for other files */
export async function readCheckpointFacts(path: string): Promise<CheckpointFacts> {
  const { metadata, tensors } = await readHeader(path);
  try {
    const given = parse(metadataSchema, metadata, 'metadata');
    return {
      backbone: given.backbone,
      stemChannels: storedStemChannels(
        given.backbone,
        new Map(tensors.map(({ name, shape }) => [name, shape])),
      ),
      classes: parse(v.array(v.string()), JSON.parse(given.classes), 'classes'),
      preprocessing: parse(preprocessingSchema, JSON.parse(given.preprocessing), 'preprocessing'),
      params: parse(paramsSchema, JSON.parse(given.params), 'params'),
      imagesPerClass:
        given.images_per_class === undefined
          ? undefined
          : parse(v.array(v.number()), JSON.parse(given.images_per_class), 'images_per_class'),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EvaluationError(
      `${path} is no checkpoint of a classifier that Tiny Cats wrote (${reason.split('\n')[0] ?? ''})`,
    );
  }
}
