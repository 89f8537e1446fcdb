import assert from 'node:assert/strict';
import { imagenetPreprocessing } from '../../../src/container/data/batch';
import { Random } from '../../../src/container/data/random';
import { whiteningStem } from '../../../src/container/recipes/classifier/stem';
import { principalAxes } from '../../../src/container/recipes/nn/principalAxes';

const SIDE = 12;
const VALUES = 27;

/** Smooth images: each pixel is near the one before it. */
function drawnImages(count: number): Uint8Array {
  const random = Random.seeded('smooth images');
  const images = new Uint8Array(count * SIDE * SIDE * 3);
  let value = 128;
  for (let place = 0; place < images.length; place += 1) {
    value = Math.min(255, Math.max(0, value + random.int(41) - 20));
    images[place] = value;
  }
  return images;
}

function stemOf(images: Uint8Array, train: Int32Array, channels: number) {
  const imageBytes = SIDE * SIDE * 3;
  const readImages = (indices: Int32Array, out: Uint8Array): Promise<void> => {
    indices.forEach((index, n) => {
      out.set(images.subarray(index * imageBytes, (index + 1) * imageBytes), n * imageBytes);
    });
    return Promise.resolve();
  };
  const dataset = { imageSize: SIDE, readImages };
  return whiteningStem({ dataset, train, preprocessing: imagenetPreprocessing, channels });
}

/** What the filters give on all patches of the normalised images, by channel. */
function responses(images: Uint8Array, count: number, filters: Float32Array): number[][] {
  const { mean, std } = imagenetPreprocessing;
  const channels = filters.length / VALUES;
  const all = Array.from({ length: channels }, (): number[] => []);
  for (let image = 0; image < count; image += 1) {
    for (let row = 0; row < SIDE - 2; row += 1) {
      for (let column = 0; column < SIDE - 2; column += 1) {
        const patch = Array.from({ length: VALUES }, (_, value) => {
          const [c, y, x] = [Math.floor(value / 9), Math.floor(value / 3) % 3, value % 3];
          const byte = images[((image * SIDE + row + y) * SIDE + column + x) * 3 + c] ?? NaN;
          return (byte / 255 - (mean[c] ?? NaN)) / (std[c] ?? NaN);
        });
        all.forEach((list, channel) =>
          list.push(patch.reduce((sum, v, i) => sum + v * (filters[channel * VALUES + i] ?? NaN), 0)),
        );
      }
    }
  }
  return all;
}

function covariance(some: readonly number[], others: readonly number[]): number {
  const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [a, b] = [mean(some), mean(others)];
  return mean(some.map((value, index) => (value - a) * ((others[index] ?? NaN) - b)));
}

describe('the stem of tiny_cnn', () => {
  const IMAGES = 40;
  const images = drawnImages(IMAGES);
  const train = Int32Array.from({ length: IMAGES }, (_, index) => index);

  it('begins with filters of about the same variance that have nothing in common, each with both signs', async () => {
    const { name, shape, data } = await stemOf(images, train, 12);
    assert.deepEqual([name, shape], ['conv1.weight', [12, 3, 3, 3]]);
    const all = responses(images, IMAGES, data);
    for (let channel = 0; channel < 12; channel += 2) {
      const own = all[channel] ?? [];
      assert.ok(Math.abs(covariance(own, own) - 1) < 0.2, String(covariance(own, own)));
      assert.ok(Math.abs(covariance(own, all[channel + 1] ?? []) + covariance(own, own)) < 1e-4);
      for (let other = 0; other < channel; other += 1) {
        assert.ok(Math.abs(covariance(own, all[other] ?? [])) < 0.1);
      }
    }
  });

  it('depends on the images that are trained on, and on them alone', async () => {
    const some = train.subarray(0, IMAGES / 2);
    const first = await stemOf(images, some, 24);
    assert.deepEqual(await stemOf(images.slice(), some.slice(), 24), first);
    const others = images.slice();
    others.fill(7, (IMAGES / 2) * SIDE * SIDE * 3);
    assert.deepEqual(await stemOf(others, some, 24), first);
    assert.notDeepEqual(await stemOf(others, train, 24), first);
  });

  it('is finite where images hardly vary', async () => {
    const { data } = await stemOf(new Uint8Array(images.length).fill(9), train.subarray(0, 1), 64);
    assert.ok(data.every((value) => Number.isFinite(value) && Math.abs(value) <= 10.001));
  });
});

describe('principal axes', () => {
  it('put a symmetric matrix together again', () => {
    const random = Random.seeded('symmetric');
    const size = 9;
    const matrix = new Float64Array(size * size);
    for (let i = 0; i < size; i += 1) {
      for (let j = 0; j <= i; j += 1) {
        matrix[i * size + j] = matrix[j * size + i] = random.uniform(-1, 1);
      }
    }
    const { variances, axes } = principalAxes(matrix, size);
    assert.deepEqual(
      [...variances].sort((a, b) => b - a),
      variances,
    );
    matrix.forEach((value, place) => {
      const [i, j] = [Math.floor(place / size), place % size];
      const sum = axes.reduce(
        (all, axis, k) => all + (variances[k] ?? NaN) * (axis[i] ?? NaN) * (axis[j] ?? NaN),
        0,
      );
      assert.ok(Math.abs(sum - value) < 1e-12, `${sum} and ${value}`);
    });
  });
});
