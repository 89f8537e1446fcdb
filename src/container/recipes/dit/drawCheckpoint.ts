import * as v from 'valibot';
import { parse } from '../../../protocol/schema';
import { readHeader, readTensors } from '../../../volume/safetensors';
import { embeddedEngine, engineChoiceSchema } from '../../../protocol/container';
import { loadEngine } from '../../engines/engine';
import { createLearner } from '../../parallel/createLearner';
import { isTrainingState } from '../weights/trainingState';
import { gridPng } from './grid';
import type { DitShape } from './network';
import { sampleImages } from './sampler';
import { ditTask } from './task';

const size = v.pipe(v.string(), v.transform(Number), v.integer(), v.minValue(1));

/** What of a checkpoint's metadata is needed to draw with it. */
const factsSchema = v.object({
  recipe: v.literal('dit'),
  image_size: size,
  patch_size: size,
  width: size,
  depth: size,
  heads: size,
  classes: v.pipe(v.string(), v.parseJson(), v.array(v.string())),
});

export interface DrawOptions {
  readonly checkpoint: string;
  /** Name of the class to draw; undefined draws all in turn. */
  readonly className: string | undefined;
  readonly count: number;
  readonly steps: number;
  readonly guidanceScale: number;
  readonly seed: number;
  readonly wasmDir: string;
  readonly enginesDir: string;
  readonly engine: string;
  readonly log: (text: string) => void;
  readonly stop: AbortSignal;
}

/**
 * Draws a grid of images, about square, with the weights of a TinyDiT's checkpoint.
 * @returns a PNG
 * @throws Error with a message for the user where the checkpoint is of another kind or has no such class
 * @throws the reason of `stop` once that is aborted
 */
export async function drawCheckpoint(options: DrawOptions): Promise<Uint8Array> {
  const { checkpoint, count, stop } = options;
  const { shape, classes } = await readFacts(checkpoint);
  const labels = labelsOf(classes, options.className, count);
  const tensors = [...(await readTensors(checkpoint))].filter(([name]) => !isTrainingState(name));
  const engine = await loadEngine(
    embeddedEngine(parse(engineChoiceSchema, options.engine, '--engine')),
    options,
  );
  const learner = await createLearner(ditTask, { ...shape }, { engine });
  try {
    await learner.initialise(0);
    await learner.loadParameters(
      tensors.map(([name, { shape: extents, data }]) => ({ name, shape: extents, data })),
    );
    const images = await sampleImages(learner, {
      shape,
      labels,
      steps: options.steps,
      guidanceScale: options.guidanceScale,
      seed: options.seed,
      weights: 'current',
      stop,
    });
    stop.throwIfAborted();
    return gridPng(images ?? new Float32Array(), shape.imageSize, Math.ceil(Math.sqrt(count)));
  } finally {
    await learner.dispose();
  }
}

async function readFacts(path: string): Promise<{ shape: DitShape; classes: readonly string[] }> {
  const { metadata } = await readHeader(path);
  if (metadata.recipe !== 'dit') {
    throw new Error(`${path} is no checkpoint of the recipe "dit": it cannot draw.`);
  }
  const facts = parse(factsSchema, metadata, `metadata of ${path}`);
  const { image_size, patch_size, width, depth, heads, classes } = facts;
  return {
    shape: { imageSize: image_size, patchSize: patch_size, width, depth, heads, classes: classes.length },
    classes,
  };
}

function labelsOf(classes: readonly string[], name: string | undefined, count: number): Int32Array {
  const label = name === undefined ? undefined : classes.indexOf(name);
  if (label === -1) {
    throw new Error(`The checkpoint has no class "${name ?? ''}"; it has ${classes.join(', ')}.`);
  }
  return Int32Array.from({ length: count }, (_, index) => label ?? index % classes.length);
}
