import assert from 'node:assert/strict';
import { resizeToSquare } from '../../../src/container/data/resize';
import { pixels } from './fixtures';

function resized(width: number, height: number, data: Uint8ClampedArray, size: number): number[] {
  const out = new Uint8Array(size * size * 3);
  resizeToSquare({ width, height, data }, size, out);
  return [...out];
}

describe('resizeToSquare', () => {
  it('copies a square of the right size as it is', () => {
    const data = pixels(4, 4, (x, y) => [x * 60, y * 60, x * y]);
    assert.deepEqual(resized(4, 4, data, 4), [...data.filter((_, i) => i % 4 < 3)]);
  });

  it('averages areas, whole and fractional', () => {
    const whole = pixels(4, 4, (x, y) => [x < 2 ? 0 : 200, y < 2 ? 100 : 50, (x + y) % 2 === 0 ? 255 : 0]);
    assert.deepEqual(resized(4, 4, whole, 2), [0, 100, 128, 200, 100, 128, 0, 50, 128, 200, 50, 128]);
    // Three pixels onto two: each output takes one and a half.
    const thirds = pixels(3, 3, (x) => [[0, 90, 240][x] ?? 0, 0, 0]);
    assert.deepEqual(
      resized(3, 3, thirds, 2).filter((_, i) => i % 3 === 0),
      [30, 190, 30, 190],
    );
  });

  it('keeps the mean of a large image', () => {
    const data = pixels(301, 301, (x, y) => [(x * 7 + y * 13) % 256, 10, 200]);
    const out = resized(301, 301, data, 16);
    const mean = (values: ArrayLike<number>, step: number): number => {
      let sum = 0;
      for (let i = 0; i < values.length; i += step) sum += values[i] ?? 0;
      return sum / (values.length / step);
    };
    assert.ok(Math.abs(mean(out, 3) - mean(data, 4)) < 1);
    assert.ok(out.every((value, i) => i % 3 === 0 || value === (i % 3 === 1 ? 10 : 200)));
  });

  it('cuts the centre out of a wide and of a tall image', () => {
    const paint = (at: number): [number, number, number] => (at >= 4 && at < 8 ? [0, 255, 0] : [255, 0, 0]);
    for (const size of [1, 2, 4]) {
      const green = Array.from({ length: size * size }, () => [0, 255, 0]).flat();
      assert.deepEqual(
        resized(
          12,
          4,
          pixels(12, 4, (x) => paint(x)),
          size,
        ),
        green,
      );
      assert.deepEqual(
        resized(
          4,
          12,
          pixels(4, 12, (_, y) => paint(y)),
          size,
        ),
        green,
      );
    }
  });

  it('enlarges between pixel centres and holds the edges', () => {
    const data = pixels(2, 2, (x) => [x * 200, 0, 0]);
    assert.deepEqual(
      resized(2, 2, data, 4)
        .filter((_, i) => i % 3 === 0)
        .slice(0, 4),
      [0, 50, 150, 200],
    );
    assert.deepEqual(
      resized(
        1,
        1,
        pixels(1, 1, () => [7, 8, 9]),
        2,
      ),
      [7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9],
    );
  });

  it('takes images that are one pixel wide or tall', () => {
    assert.deepEqual(
      resized(
        1,
        100,
        pixels(1, 100, () => [1, 2, 3]),
        1,
      ),
      [1, 2, 3],
    );
    assert.deepEqual(
      resized(
        100,
        1,
        pixels(100, 1, () => [1, 2, 3]),
        1,
      ),
      [1, 2, 3],
    );
  });

  it('lays transparency over white', () => {
    const data = pixels(1, 1, () => [100, 0, 0, 128]);
    assert.deepEqual(resized(1, 1, data, 1), [177, 127, 127]);
    assert.deepEqual(
      resized(
        1,
        1,
        pixels(1, 1, () => [9, 9, 9, 0]),
        1,
      ),
      [255, 255, 255],
    );
  });

  it('writes at the offset only', () => {
    const out = new Uint8Array(9).fill(77);
    resizeToSquare({ width: 1, height: 1, data: pixels(1, 1, () => [1, 2, 3]) }, 1, out, 3);
    assert.deepEqual([...out], [77, 77, 77, 1, 2, 3, 77, 77, 77]);
  });
});
