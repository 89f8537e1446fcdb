import { Random } from '../../data/random';
import type { Learner, Weights } from '../task';
import type { DitShape } from './network';
import { patchLength, tokenCount } from './network';
import { toImages } from './patches';

export interface SamplingOptions {
  readonly shape: DitShape;
  /** Class of each image. */
  readonly labels: Int32Array;
  readonly steps: number;
  /** 1 samples from the class alone; above, images are pushed away from what they would be without a class. */
  readonly guidanceScale: number;
  readonly seed: number;
  readonly weights: Weights;
  /** Aborted when sampling is to end early. */
  readonly stop?: AbortSignal;
}

/**
 * Images from noise: Euler steps along the learned velocity from t = 1 to t = 0.
 * @returns NHWC [labels.length, imageSize, imageSize, 3], about -1 to 1; undefined if it was stopped
 */
export async function sampleImages(
  learner: Pick<Learner, 'predict'>,
  options: SamplingOptions,
): Promise<Float32Array | undefined> {
  const { shape, labels, steps, seed, stop } = options;
  const random = Random.seeded('samples', seed);
  const x = Float32Array.from({ length: labels.length * tokenCount(shape) * patchLength(shape) }, () =>
    random.normal(),
  );
  for (let step = 0; step < steps; step += 1) {
    const velocity = await guidedVelocity(learner, x, 1 - step / steps, options);
    x.forEach((value, index) => {
      x[index] = value - (velocity[index] ?? 0) / steps;
    });
    if (stop?.aborted === true) {
      return undefined;
    }
  }
  return toImages(x, shape);
}

/** Of the class, pushed away from that of the null class by the guidance scale. Both in one batch. */
export async function guidedVelocity(
  learner: Pick<Learner, 'predict'>,
  x: Float32Array,
  time: number,
  { shape, labels, guidanceScale, weights }: Omit<SamplingOptions, 'steps' | 'seed' | 'stop'>,
): Promise<Float32Array> {
  const guided = guidanceScale !== 1;
  const count = labels.length * (guided ? 2 : 1);
  const data = new Float32Array(x.length * (guided ? 2 : 1));
  data.set(x);
  const label = new Int32Array(count).fill(shape.classes);
  label.set(labels);
  if (guided) {
    data.set(x, x.length);
  }
  const { velocity } = await learner.predict(
    {
      x: { data, shape: [count, tokenCount(shape), patchLength(shape)] },
      time: { data: new Float32Array(count).fill(time), shape: [count] },
      label: { data: label, shape: [count] },
    },
    weights,
  );
  if (velocity === undefined) {
    throw new Error('the network predicts no velocity');
  }
  if (!guided) {
    return velocity.data;
  }
  const free = velocity.data.subarray(x.length);
  return velocity.data
    .subarray(0, x.length)
    .map((own, index) => (free[index] ?? 0) + guidanceScale * (own - (free[index] ?? 0)));
}
