import type { Augmentation } from '../../protocol/augmentation';
import { drawVariation, type Variation } from './augmentation';
import { jitterColour, type Normalisation } from './jitterColour';
import type { Random } from './random';
import { sampleImage } from './sampleImage';

/** How images become numbers; written into every checkpoint, so that predictions do the same. */
export type Preprocessing = {
  /** Per channel R, G, B, of values scaled to [0, 1]. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
};

/** The mean and deviation of ImageNet's training images, as torchvision's models use them. */
export const imagenetPreprocessing: Preprocessing = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

export type BatchOptions = Preprocessing & {
  /**
   * How images are varied, not at all by default. What happens to an image depends on how `random` was seeded and on
   * the image's index, on nothing else: not on its batch, nor on what was drawn before.
   */
  readonly augmentation?: { readonly level: Augmentation; readonly random: Random };
};

/** Turns bytes into batches; keeps what that needs from one batch to the next. */
export class BatchFiller {
  readonly #size: number;
  readonly #tables: readonly [Float32Array, Float32Array, Float32Array];
  readonly #normalisation: Normalisation;
  readonly #augmentation: BatchOptions['augmentation'];
  readonly #varied: Float32Array;

  constructor(imageSize: number, { mean, std, augmentation }: BatchOptions) {
    this.#size = imageSize;
    this.#augmentation = augmentation;
    this.#normalisation = {
      scale: [1 / (255 * std[0]), 1 / (255 * std[1]), 1 / (255 * std[2])],
      shift: [-mean[0] / std[0], -mean[1] / std[1], -mean[2] / std[2]],
    };
    this.#tables = [
      channelTable(mean[0], std[0]),
      channelTable(mean[1], std[1]),
      channelTable(mean[2], std[2]),
    ];
    this.#varied = new Float32Array(imageSize * imageSize * 3);
  }

  /**
   * Writes images to the front of `out`, in NHWC order: [positions, size, size, 3]. What lies behind them in `out` is
   * left as it was.
   *
   * @param images RGB bytes, shape [any, size, size, 3]
   * @param positions which of `images`
   * @param indices which of the data set these are: what their variations depend on
   * @throws {RangeError} if `out` is too short or a position is not in `images`
   */
  fill(images: Uint8Array, positions: Int32Array, indices: Int32Array, out: Float32Array): void {
    const augmentation = this.#augmentation;
    const length = this.#varied.length;
    if (out.length < positions.length * length) {
      throw new RangeError(
        `A batch of ${positions.length} images needs ${positions.length * length} floats.`,
      );
    }
    for (let n = 0; n < positions.length; n++) {
      const from = (positions[n] ?? -1) * length;
      if (from < 0 || from + length > images.length)
        throw new RangeError(`There is no image at ${positions[n]}.`);
      if (!augmentation) {
        this.#copy(images, from, asItIs, out, n * length);
        continue;
      }
      const variation = drawVariation(
        augmentation.level,
        augmentation.random.fork(indices[n] ?? 0),
        this.#size,
      );
      if (!variation.colour) {
        this.#copy(images, from, variation, out, n * length);
        continue;
      }
      sampleImage(images, from, this.#size, variation, this.#varied);
      jitterColour(this.#varied, variation.colour, this.#normalisation, out, n * length);
    }
  }

  /** @param place mirrors and moves by whole pixels; beyond its edges the image goes on mirrored */
  #copy(images: Uint8Array, from: number, { xx, x0, y0 }: Place, out: Float32Array, to: number): void {
    const [r, g, b] = this.#tables;
    const size = this.#size;
    const columns = Int32Array.from(
      { length: size },
      (_, x) => 3 * inside(Math.floor(xx * (x + 0.5) + x0), size),
    );
    for (let row = 0; row < size; row++) {
      const line = from + 3 * size * inside(row + y0, size);
      for (let x = 0; x < size; x++, to += 3) {
        const at = line + (columns[x] ?? 0);
        out[to] = r[images[at] ?? 0] ?? 0;
        out[to + 1] = g[images[at + 1] ?? 0] ?? 0;
        out[to + 2] = b[images[at + 2] ?? 0] ?? 0;
      }
    }
  }
}

type Place = Pick<Variation, 'xx' | 'x0' | 'y0'>;
const asItIs: Place = { xx: 1, x0: 0, y0: 0 };

/** The pixel that a place just outside the image mirrors. */
function inside(place: number, size: number): number {
  return place < 0 ? -1 - place : place < size ? place : 2 * size - 1 - place;
}

/** The normalised value of each of the 256 possible bytes. */
function channelTable(mean: number, std: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, value) => (value / 255 - mean) / std);
}
