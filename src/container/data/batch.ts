import type { Dataset } from './dataset';
import type { Random } from './random';

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
  /** Mirrors each image left to right with probability one half. */
  readonly flip?: Random;
};

/**
 * Writes the images of `indices` to the front of `out`, normalised, in NHWC order: [indices.length, size, size, 3].
 * What lies behind them in `out` is left as it was.
 *
 * @throws {RangeError} if `out` is too short or an index is not in the data set
 */
export function fillBatch(
  dataset: Pick<Dataset, 'images' | 'imageSize' | 'count'>,
  indices: Int32Array,
  out: Float32Array,
  { mean, std, flip }: BatchOptions,
): void {
  const { images, imageSize } = dataset;
  const rowLength = imageSize * 3;
  const imageLength = imageSize * rowLength;
  if (out.length < indices.length * imageLength) {
    throw new RangeError(`A batch of ${indices.length} images needs ${indices.length * imageLength} floats.`);
  }
  const [r, g, b] = [channelTable(mean[0], std[0]), channelTable(mean[1], std[1]), channelTable(mean[2], std[2])];
  for (let n = 0; n < indices.length; n++) {
    const index = indices[n] ?? -1;
    if (index < 0 || index >= dataset.count) throw new RangeError(`The data set has no image ${index}.`);
    const step = flip && flip.uint32() >= 0x80000000 ? -3 : 3;
    const first = step < 0 ? rowLength - 3 : 0;
    let to = n * imageLength;
    for (let row = 0; row < imageSize; row++) {
      let from = index * imageLength + row * rowLength + first;
      for (const end = to + rowLength; to < end; to += 3, from += step) {
        out[to] = r[images[from] ?? 0] ?? 0;
        out[to + 1] = g[images[from + 1] ?? 0] ?? 0;
        out[to + 2] = b[images[from + 2] ?? 0] ?? 0;
      }
    }
  }
}

/** The normalised value of each of the 256 possible bytes. */
function channelTable(mean: number, std: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, value) => (value / 255 - mean) / std);
}
