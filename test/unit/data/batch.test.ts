import assert from 'node:assert/strict';
import { BatchFiller, imagenetPreprocessing, type BatchOptions } from '../../../src/container/data/batch';
import { Random } from '../../../src/container/data/random';

describe('BatchFiller', () => {
  const imageSize = 2;
  const images = Uint8Array.from({ length: 36 }, (_, i) => i * 7);
  const plain = { mean: [0, 0, 0], std: [1, 1, 1] } as const;

  /** Fills `out` with these of the images. */
  function fill(from: Uint8Array, indices: Int32Array, out: Float32Array, options: BatchOptions): void {
    new BatchFiller(imageSize, options).fill(from, indices, indices, out);
  }

  /** The bytes that a batch was made of. */
  const bytes = (batch: Float32Array): number[] => [...batch].map((value) => Math.round(value * 255));

  it('normalises each channel as torchvision does', () => {
    const out = new Float32Array(12);
    fill(images, Int32Array.of(1), out, imagenetPreprocessing);
    const { mean, std } = imagenetPreprocessing;
    out.forEach((value, i) => {
      const channel = i % 3 === 0 ? 0 : i % 3 === 1 ? 1 : 2;
      assert.ok(Math.abs(value - ((images[12 + i] ?? 0) / 255 - mean[channel]) / std[channel]) < 1e-6);
    });
  });

  it('takes the images in the order of the indices and leaves the rest of the buffer', () => {
    const out = new Float32Array(36).fill(-1);
    fill(images, Int32Array.of(2, 0), out, plain);
    assert.deepEqual(bytes(out.subarray(0, 24)), [...images.subarray(24), ...images.subarray(0, 12)]);
    assert.ok(out.subarray(24).every((value) => value === -1));
  });

  it('mirrors about half of the images, left to right, repeatably', () => {
    const indices = Int32Array.from({ length: 400 }, (_, i) => i);
    const many = Uint8Array.from({ length: 4800 }, (_, i) => images[i % 12] ?? 0);
    const [out, again] = [new Float32Array(4800), new Float32Array(4800)];
    fill(many, indices, out, { ...plain, augmentation: { level: 'basic', random: Random.seeded(5) } });
    fill(many, indices, again, { ...plain, augmentation: { level: 'basic', random: Random.seeded(5) } });
    assert.deepEqual(again, out);
    const upright = [...images.subarray(0, 12)];
    const mirrored = [
      ...images.subarray(3, 6),
      ...images.subarray(0, 3),
      ...images.subarray(9, 12),
      ...images.subarray(6, 9),
    ];
    let flips = 0;
    for (let n = 0; n < 400; n++) {
      const got = bytes(out.subarray(n * 12, n * 12 + 12));
      const isMirrored = got[0] === mirrored[0];
      assert.deepEqual(got, isMirrored ? mirrored : upright);
      if (isMirrored) flips++;
    }
    assert.ok(flips > 160 && flips < 240, `${flips} of 400`);
  });

  it('refuses a short buffer and an index beyond the data', () => {
    assert.throws(() => fill(images, Int32Array.of(0, 1), new Float32Array(23), plain), RangeError);
    for (const index of [3, -1]) {
      assert.throws(() => fill(images, Int32Array.of(index), new Float32Array(12), plain), RangeError);
    }
  });
});
