import assert from 'node:assert/strict';
import { drawVariation, type Variation } from '../../../src/container/data/augmentation';
import { BatchFiller } from '../../../src/container/data/batch';
import { jitterColour } from '../../../src/container/data/jitterColour';
import { Random } from '../../../src/container/data/random';
import { sampleImage } from '../../../src/container/data/sampleImage';

const plain = { mean: [0, 0, 0], std: [1, 1, 1] } as const;
const levels = ['basic', 'standard', 'advanced'] as const;

describe('augmentation', () => {
  const size = 16;
  const image = Uint8Array.from({ length: size * size * 3 }, (_, i) => (i * 37 + (i >> 5) * 11) % 256);

  function vary(level: (typeof levels)[number], seed: number, index = 0): Float32Array {
    const out = new Float32Array(image.length);
    const filler = new BatchFiller(size, { ...plain, augmentation: { level, random: Random.seeded(seed) } });
    filler.fill(image, Int32Array.of(0), Int32Array.of(index), out);
    return out;
  }

  it('depends on seed and image, and repeats', () => {
    for (const level of levels) {
      const seen = new Set(Array.from({ length: 24 }, (_, i) => vary(level, i % 6, i >> 2).join()));
      assert.ok(seen.size > (level === 'basic' ? 1 : 20), `${level}: ${seen.size}`);
      assert.deepEqual(vary(level, 3, 5), vary(level, 3, 5));
    }
  });

  it('basic moves the image by up to a tenth of its side, and its edges go on mirrored', () => {
    const side = 20;
    // Every pixel tells its column and row.
    const ramp = Uint8Array.from(
      { length: side * side * 3 },
      (_, i) => [Math.floor(i / 3) % side, Math.floor(i / 3 / side), 0][i % 3] ?? 0,
    );
    const seen = new Set<string>();
    for (let index = 0; index < 1000; index++) {
      const out = new Float32Array(ramp.length);
      new BatchFiller(side, { ...plain, augmentation: { level: 'basic', random: Random.seeded(1) } }).fill(
        ramp,
        Int32Array.of(0),
        Int32Array.of(index),
        out,
      );
      const at = (x: number, y: number): [number, number] => {
        const place = (y * side + x) * 3;
        return [Math.round((out[place] ?? 0) * 255), Math.round((out[place + 1] ?? 0) * 255)];
      };
      const [column, row] = at(10, 10);
      const direction = at(11, 10)[0] - column;
      const right = direction > 0 ? column - 10 : column - 9;
      seen.add(`${direction} ${right} ${row - 10}`);
      if (direction === 1 && right === 2)
        assert.deepEqual([at(17, 10)[0], at(18, 10)[0], at(19, 10)[0]], [19, 19, 18]);
    }
    assert.equal(seen.size, 2 * 5 * 5);
    assert.ok(seen.has('1 0 0') && seen.has('-1 -2 2'));
  });

  it('stays within the range of bytes', () => {
    for (const level of levels) {
      for (let seed = 0; seed < 50; seed++) {
        assert.ok(vary(level, seed).every((value) => value >= 0 && value <= 1.000001));
      }
    }
  });

  it('leaves one colour one colour, at every place', () => {
    const grey = new Uint8Array(image.length).fill(100);
    for (let i = 0; i < 100; i++) {
      const variation = drawVariation('advanced', Random.seeded(i), size);
      const out = new Float32Array(image.length);
      sampleImage(grey, 0, size, variation, out);
      assert.ok(out.every((value) => Math.abs(value - 100) < 1e-4));
    }
  });

  it('draws within the bounds of its level', () => {
    for (let i = 0; i < 500; i++) {
      for (const level of ['standard', 'advanced'] as const) {
        const { xx, xy, yx, yy, x0, y0, colour } = drawVariation(level, Random.seeded(i), 100);
        assert.ok(colour && Math.abs(colour.hue) <= 0.1);
        for (const factor of [colour.brightness, colour.contrast, colour.saturation])
          assert.ok(factor >= 0.8 && factor <= 1.2);
        const area = Math.abs(xx * yy - xy * yx);
        if (level === 'standard') {
          assert.ok(xy === 0 && yx === 0);
          assert.ok(area >= 0.699 && area <= 1.001, `area ${area}`);
          // What is cropped lies in the image.
          for (const [step, start] of [
            [xx, x0],
            [yy, y0],
          ] as const) {
            for (const edge of [start, start + 100 * step])
              assert.ok(edge > -1e-9 && edge < 100 + 1e-9, `edge ${edge}`);
          }
        } else {
          assert.ok(area >= 0.699 / 1.21 && area <= 1.001 / 0.81, `area ${area}`);
          const [centreX, centreY] = [50 * (xx + xy) + x0, 50 * (yx + yy) + y0];
          for (const centre of [centreX, centreY])
            assert.ok(Math.abs(centre - 50) < 10 + 15, `centre ${centre}`);
        }
      }
    }
  });

  it('mirrors about half of the images at every level', () => {
    for (const level of levels) {
      const mirrored = Array.from({ length: 400 }, (_, i) =>
        drawVariation(level, Random.seeded(i), size),
      ).filter(({ xx }) => xx < 0);
      assert.ok(mirrored.length > 160 && mirrored.length < 240, `${level}: ${mirrored.length} of 400`);
    }
  });

  it('interpolates between pixels the same with and without rotation', () => {
    const upright: Variation = { xx: 0.8, xy: 0, x0: 1.3, yx: 0, yy: -0.7, y0: 14, colour: undefined };
    const [out, other] = [new Float32Array(image.length), new Float32Array(image.length)];
    sampleImage(image, 0, size, upright, out);
    sampleImage(image, 0, size, { ...upright, xy: 1e-9 }, other);
    out.forEach((value, i) => assert.ok(Math.abs(value - (other[i] ?? 0)) < 1e-3));
  });

  it('moves by whole pixels exactly, and goes on mirrored beyond the edges', () => {
    for (const xy of [0, 1e-12]) {
      const out = new Float32Array(image.length);
      sampleImage(image, 0, size, { xx: 1, xy, x0: -2, yx: 0, yy: 1, y0: 3, colour: undefined }, out);
      for (const [x, y, fromX, fromY] of [
        [2, 0, 0, 3],
        [1, 0, 0, 3],
        [0, 0, 1, 3],
        [5, 13, 3, 15],
        [5, 15, 3, 13],
      ] as const) {
        for (let channel = 0; channel < 3; channel++) {
          const expected = image[(fromY * size + fromX) * 3 + channel] ?? 0;
          assert.ok(Math.abs((out[(y * size + x) * 3 + channel] ?? 0) - expected) < 1e-3, `${x}, ${y}`);
        }
      }
    }
  });

  it('turns a quarter as a rotation does', () => {
    const out = new Float32Array(image.length);
    sampleImage(image, 0, size, { xx: 0, xy: 1, x0: 0, yx: -1, yy: 0, y0: size, colour: undefined }, out);
    for (let x = 0; x < size; x++) assert.equal(out[x * 3], image[(size - 1 - x) * size * 3]);
  });
});

describe('jitterColour', () => {
  const asItIs = { scale: [1, 1, 1], shift: [0, 0, 0] } as const;
  const none = { brightness: 1, contrast: 1, saturation: 1, hue: 0 };

  function jittered(rgb: readonly number[], change: Partial<typeof none>): number[] {
    const values = Float32Array.from(rgb);
    jitterColour(values, { ...none, ...change }, asItIs, values, 0);
    return [...values].map((value) => Math.round(value * 100) / 100);
  }

  it('changes nothing by neutral factors', () => {
    const rgb = [0, 0, 0, 255, 255, 255, 10, 200, 30, 77, 77, 78, 255, 0, 1];
    assert.deepEqual(jittered(rgb, {}), rgb);
  });

  it('scales brightness, and holds it at white', () => {
    assert.deepEqual(jittered([100, 150, 250], { brightness: 1.2 }), [120, 180, 255]);
  });

  it('mixes with the mean grey for contrast', () => {
    // Grey of the first pixel 100, of the second 200: a mean of 150, by weights that add up to 0.9999.
    const result = jittered([100, 100, 100, 200, 200, 200], { contrast: 0.5 });
    [125, 125, 125, 175, 175, 175].forEach((value, i) =>
      assert.ok(Math.abs((result[i] ?? 0) - value) < 0.02),
    );
  });

  it('mixes with the own grey for saturation', () => {
    const grey = 0.2989 * 200 + 0.587 * 100 + 0.114 * 50;
    assert.deepEqual(
      jittered([200, 100, 50], { saturation: 0 }),
      [grey, grey, grey].map((value) => Math.round(value * 100) / 100),
    );
  });

  it('turns hue around the wheel', () => {
    for (const [hue, expected] of [
      [1 / 3, [0, 255, 0]],
      [-1 / 3, [0, 0, 255]],
      [1 / 6, [255, 255, 0]],
      [0.5, [0, 255, 255]],
      [1 / 12, [255, 127.5, 0]],
      [-1 / 12, [255, 0, 127.5]],
    ] as const) {
      assert.deepEqual(jittered([255, 0, 0], { hue }), expected);
    }
    assert.deepEqual(jittered([90, 90, 90], { hue: 0.1 }), [90, 90, 90]);
  });

  it('turns any colour there and back', () => {
    const rgb = Array.from({ length: 300 }, (_, i) => (i * 83) % 256);
    for (const hue of [0.07, -0.1]) {
      const values = Float32Array.from(rgb);
      jitterColour(values, { ...none, hue }, asItIs, values, 0);
      jitterColour(values, { ...none, hue: -hue }, asItIs, values, 0);
      values.forEach((value, i) => assert.ok(Math.abs(value - (rgb[i] ?? 0)) < 0.01));
    }
  });
});
