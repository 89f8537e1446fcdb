import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from '../../../volume/atomicFile';
import type { RunContext } from '../recipe';
import type { Learner } from '../task';
import { gridPng } from './grid';
import type { DitParams } from './params';
import { shapeOf } from './params';
import { sampleImages } from './sampler';

const IMAGES = 16;
const COLUMNS = 8;

/** Classes of a grid's images, in equal shares and in order; only the first few of very many. */
export function gridLabels(classes: number): Int32Array {
  return Int32Array.from({ length: IMAGES }, (_, index) =>
    Math.floor((index * Math.min(classes, IMAGES)) / IMAGES),
  );
}

/** Name of a grid in the run's folder, such as `samples/step-000500.png`. */
export function sampleFile(step: number): string {
  return `samples/step-${String(step).padStart(6, '0')}.png`;
}

/**
 * Draws a grid with the averaged weights, from the same noise each time, saves it and tells of it.
 * @param step steps that are done
 * @returns false if the run was told to stop before the images were done
 */
export async function saveSamples(
  {
    run,
    learner,
    params,
    classes,
  }: { run: RunContext; learner: Learner; params: DitParams; classes: readonly string[] },
  step: number,
): Promise<boolean> {
  const labels = gridLabels(classes.length);
  const images = await sampleImages(learner, {
    shape: shapeOf(params, classes.length),
    labels,
    steps: params.sample_steps,
    guidanceScale: params.guidance_scale,
    seed: params.seed,
    weights: 'average',
    stop: run.stop,
  });
  if (images === undefined) {
    return false;
  }
  const file = sampleFile(step);
  const path = join(run.runDir, ...file.split('/'));
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomic(path, gridPng(images, params.image_size, COLUMNS));
  run.emit({
    type: 'sample',
    step,
    file,
    labels: Array.from(labels, (label) => classes[label] ?? ''),
    columns: COLUMNS,
  });
  return true;
}
