import assert from 'node:assert/strict';
import { Random } from '../../../../src/container/data/random';
import { decodePng } from '../../../../src/container/data/pngDecode';
import { flowBatch } from '../../../../src/container/recipes/dit/flow';
import { gridPng } from '../../../../src/container/recipes/dit/grid';
import { toImages, toTokens } from '../../../../src/container/recipes/dit/patches';
import { guidedVelocity, sampleImages } from '../../../../src/container/recipes/dit/sampler';
import { gridLabels } from '../../../../src/container/recipes/dit/samples';
import type { Batch } from '../../../../src/container/recipes/task';
import { seeded, values } from '../../engines/support';
import { SMALL } from './support';

const PIXELS = 8 * 8 * 3;

const dataOf = (batch: Batch, name: string): Float32Array | Int32Array => {
  const array = batch[name];
  assert.ok(array);
  return array.data;
};

describe('flow matching', () => {
  it('mixes image and noise by time, towards the velocity noise - image', () => {
    const images = values(seeded(1), 4 * PIXELS);
    const batch = flowBatch(images, Int32Array.of(0, 1, 0, 1), Random.seeded('flow'), {
      shape: SMALL,
      classDropout: 0,
    });
    const [x, target, time] = ['x', 'target', 'time'].map((name) => dataOf(batch, name));
    assert.ok(x && target && time);
    const tokens = toTokens(images, SMALL);
    x.forEach((value, index) => {
      const t = time[Math.floor(index / PIXELS)] ?? NaN;
      // x_t = (1 - t) image + t noise = image + t velocity
      const expected = (tokens[index] ?? NaN) + t * (target[index] ?? NaN);
      assert.ok(Math.abs(value - expected) < 1e-5);
    });
    assert.ok(time.every((t) => t > 0 && t < 1));
    assert.deepEqual([...dataOf(batch, 'label')], [0, 1, 0, 1]);
  });

  it('drops classes as often as asked', () => {
    const labels = new Int32Array(400);
    const images = new Float32Array(400 * PIXELS);
    const dropped = (classDropout: number) =>
      dataOf(
        flowBatch(images, labels, Random.seeded('drop'), { shape: SMALL, classDropout }),
        'label',
      ).filter((label) => label === SMALL.classes).length;
    assert.equal(dropped(0), 0);
    assert.equal(dropped(1), 400);
    assert.ok(dropped(0.1) > 15 && dropped(0.1) < 80);
  });

  it('cuts images into patches and back', () => {
    const images = Float32Array.from({ length: 2 * PIXELS }, (_, index) => index);
    const tokens = toTokens(images, SMALL);
    // The first patch: two pixels of the first row, then two of the second.
    assert.deepEqual([...tokens.slice(0, 12)], [0, 1, 2, 3, 4, 5, 24, 25, 26, 27, 28, 29]);
    assert.deepEqual(toImages(tokens, SMALL), images);
  });
});

describe('sampling', () => {
  /** Knows one image for each class, and grey without a class. */
  const knowing = (images: readonly number[]) => ({
    calls: 0,
    predict(batch: Batch) {
      this.calls += 1;
      const [x, time, label] = ['x', 'time', 'label'].map((name) => dataOf(batch, name));
      assert.ok(x && time && label);
      const velocity = Float32Array.from(x, (value, index) => {
        const example = Math.floor(index / PIXELS);
        return (value - (images[label[example] ?? 0] ?? 0)) / (time[example] ?? 1);
      });
      return Promise.resolve({ velocity: { data: velocity, shape: [...(batch.x?.shape ?? [])] } });
    },
  });
  const options = {
    shape: SMALL,
    labels: Int32Array.of(0, 1),
    steps: 8,
    guidanceScale: 1,
    seed: 3,
    weights: 'average',
  } as const;

  it('follows the velocity from noise to the image of each class', async () => {
    const images = await sampleImages(knowing([0.25, -0.5, 0]), options);
    assert.ok(images);
    images.forEach((value, index) => assert.ok(Math.abs(value - (index < PIXELS ? 0.25 : -0.5)) < 1e-4));
  });

  it('pushes away from what there would be without a class', async () => {
    const images = await sampleImages(knowing([0.2, -0.2, 0.1]), { ...options, guidanceScale: 3 });
    // 0.1 + 3 (0.2 - 0.1) and 0.1 + 3 (-0.2 - 0.1)
    images?.forEach((value, index) => assert.ok(Math.abs(value - (index < PIXELS ? 0.4 : -0.8)) < 1e-4));
  });

  it('is the class alone at a guidance of 1, in half the work', async () => {
    const x = values(seeded(4), 2 * PIXELS);
    const plain = await guidedVelocity(knowing([0.2, -0.2, 0.1]), x, 0.5, options);
    x.forEach((value, index) => {
      const expected = (value - (index < PIXELS ? 0.2 : -0.2)) / 0.5;
      assert.ok(Math.abs((plain[index] ?? NaN) - expected) < 1e-5);
    });
  });

  it('ends at once when it is stopped', async () => {
    const model = knowing([0, 0, 0]);
    assert.equal(await sampleImages(model, { ...options, stop: AbortSignal.abort() }), undefined);
    assert.equal(model.calls, 1);
  });

  it('shows each class in equal shares', () => {
    assert.deepEqual([...gridLabels(2)], [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert.equal(new Set(gridLabels(100)).size, 16);
  });

  it('makes a picture that can be read, with the images where they belong', () => {
    const side = 4;
    const images = new Float32Array(3 * side * side * 3);
    images.fill(-1, 0, side * side * 3);
    images.fill(2, 2 * side * side * 3);
    const { width, height, data } = decodePng(gridPng(images, side, 2));
    assert.deepEqual([width, height], [2 * side + 6, 2 * side + 6]);
    const pixel = (x: number, y: number) => data[(y * width + x) * (data.length / (width * height))];
    assert.equal(pixel(3, 3), 0);
    assert.equal(pixel(side + 5, 3), 128);
    assert.equal(pixel(3, side + 5), 255);
    assert.equal(pixel(0, 0), 255);
  });
});
