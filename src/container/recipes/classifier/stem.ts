import type { TensorData } from '../../../volume/safetensors';
import type { Preprocessing } from '../../data/batch';
import type { Dataset } from '../../data/dataset';
import { principalAxes } from '../nn/principalAxes';

/** Side of the filters, in pixels. */
const SIDE = 3;
const VALUES = SIDE * SIDE * 3;
/** Images and places of each way in them that patches are taken from: 6,272 patches. */
const MOST_IMAGES = 128;
/** Odd, so that the places do not fall in step with the blocks of 8 pixels that JPEG codes. */
const PLACES = 7;
/** Added to the variances: axes that hardly vary, as in smooth or grey images, would make huge weights. */
const EPSILON = 1e-2;

export interface StemFacts {
  readonly dataset: Pick<Dataset, 'imageSize' | 'readImages'>;
  /** The images that are trained on. */
  readonly train: Int32Array;
  readonly preprocessing: Preprocessing;
  readonly channels: number;
}

/**
 * First weights of a 3x3 stem: the principal axes of the training images' patches, each scaled to the same variance and
 * with both signs, so that the ReLU loses nothing (Jordan, "94% on CIFAR-10 in 3.29 Seconds", 2024). They depend on the
 * images alone.
 * @returns OIHW, as checkpoints have it
 */
export async function whiteningStem(facts: StemFacts): Promise<TensorData> {
  const { channels, preprocessing } = facts;
  const { variances, axes } = principalAxes(await patchCovariance(facts, preprocessing.std), VALUES);
  const data = new Float32Array(channels * VALUES);
  for (let channel = 0; channel < channels; channel += 1) {
    // With more channels than signed axes there are, the first come again.
    const which = Math.floor(channel / 2) % VALUES;
    const scale = (channel % 2 === 0 ? 1 : -1) / Math.sqrt((variances[which] ?? 0) + EPSILON);
    (axes[which] ?? new Float64Array(VALUES)).forEach((value, index) => {
      data[channel * VALUES + index] = value * scale;
    });
  }
  return { name: 'conv1.weight', shape: [channels, 3, SIDE, SIDE], data };
}

/** Covariance [27, 27] of patches of the normalised images, their values in the order channel, row, column. */
async function patchCovariance(
  { dataset, train }: StemFacts,
  std: Preprocessing['std'],
): Promise<Float64Array> {
  const { imageSize: side } = dataset;
  const count = Math.min(MOST_IMAGES, train.length);
  const indices = Int32Array.from(
    { length: count },
    (_, n) => train[Math.floor((n * train.length) / count)] ?? 0,
  );
  const pixels = new Uint8Array(count * side * side * 3);
  await dataset.readImages(indices, pixels);
  const offsets = Int32Array.from({ length: VALUES }, (_, value) => {
    const [channel, row, column] = [Math.floor(value / 9), Math.floor(value / 3) % 3, value % 3];
    return (row * side + column) * 3 + channel;
  });
  const places = Array.from({ length: PLACES }, (_, place) =>
    Math.floor((place * (side - SIDE + 1)) / PLACES),
  );

  const sums = new Float64Array(VALUES);
  const products = new Float64Array(VALUES * VALUES);
  const patch = new Float64Array(VALUES);
  let patches = 0;
  for (let image = 0; image < count; image += 1) {
    for (const row of places) {
      for (const column of places) {
        const start = ((image * side + row) * side + column) * 3;
        for (let i = 0; i < VALUES; i += 1) {
          patch[i] = pixels[start + (offsets[i] ?? 0)] ?? 0;
        }
        addProducts(patch, sums, products);
        patches += 1;
      }
    }
  }
  // Bytes add up exactly; the mean that normalisation takes away makes no difference here.
  const scales = Float64Array.from(
    { length: VALUES },
    (_, value) => 1 / (255 * (std[Math.floor(value / 9)] ?? 1)),
  );
  return products.map((_, place) => {
    const [i, j] = [Math.floor(place / VALUES), place % VALUES];
    const product = products[Math.min(i, j) * VALUES + Math.max(i, j)] ?? 0;
    const centred = product / patches - ((sums[i] ?? 0) / patches) * ((sums[j] ?? 0) / patches);
    return centred * (scales[i] ?? 0) * (scales[j] ?? 0);
  });
}

/** Adds a patch to the sums and to the upper half of the sums of products. */
function addProducts(patch: Float64Array, sums: Float64Array, products: Float64Array): void {
  for (let i = 0; i < VALUES; i += 1) {
    const value = patch[i] ?? 0;
    sums[i] = (sums[i] ?? 0) + value;
    for (let j = i; j < VALUES; j += 1) {
      const place = i * VALUES + j;
      products[place] = (products[place] ?? 0) + value * (patch[j] ?? 0);
    }
  }
}
