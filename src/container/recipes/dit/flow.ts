import type { Random } from '../../data/random';
import type { Batch } from '../task';
import type { DitShape } from './network';
import { patchLength, tokenCount } from './network';
import { toTokens } from './patches';

/**
 * Flow matching on straight paths (Lipman et al., 2023; rectified flow): at time t an image is
 * `x_t = (1 - t) image + t noise`, so that t = 0 is the data and t = 1 pure noise, and the velocity to learn is
 * `dx_t/dt = noise - image`.
 */
export interface FlowOptions {
  readonly shape: DitShape;
  /** Probability of training an image without its class, for classifier-free guidance (Ho and Salimans, 2022). */
  readonly classDropout: number;
}

/**
 * Draws times, noise and dropped classes for images.
 * @param images in [-1, 1], NHWC [B, imageSize, imageSize, 3]
 * @param labels [B]
 */
export function flowBatch(
  images: Float32Array,
  labels: Int32Array,
  random: Random,
  { shape, classDropout }: FlowOptions,
): Batch {
  const count = labels.length;
  const pixels = images.length / count;
  const tokens = [count, tokenCount(shape), patchLength(shape)];
  const time = Float32Array.from(labels, () => drawTime(random));
  const label = labels.map((own) => (random.uniform() < classDropout ? shape.classes : own));
  const x = new Float32Array(images.length);
  const target = new Float32Array(images.length);
  for (let image = 0; image < count; image += 1) {
    const t = time[image] ?? 0;
    for (let index = image * pixels; index < (image + 1) * pixels; index += 1) {
      const value = images[index] ?? 0;
      const noise = random.normal();
      x[index] = (1 - t) * value + t * noise;
      target[index] = noise - value;
    }
  }
  return {
    x: { data: toTokens(x, shape), shape: tokens },
    target: { data: toTokens(target, shape), shape: tokens },
    time: { data: time, shape: [count] },
    label: { data: label, shape: [count] },
  };
}

/** Mean of the normal draw below: more noise than image, since what an image is of is settled there. */
const TIME_MEAN = 0.5;

/** The logistic function of a normal draw: few of the ends of the path, where there is little to learn (Esser et al., 2024). */
function drawTime(random: Random): number {
  return 1 / (1 + Math.exp(-TIME_MEAN - random.normal()));
}
