import type { DecodedImage } from './decodeImage';

/**
 * Scales an image so that its shorter side is `size`, cuts the square from its centre, lays it over white and writes
 * it to `out` at `offset`: RGB, shape [size, size, 3]. Shrinking averages areas (a box filter with fractional
 * weights), enlarging interpolates linearly between pixel centres. The image's own pixels are laid over white, too.
 */
export function resizeToSquare(image: DecodedImage, size: number, out: Uint8Array, offset = 0): void {
  const { width, height, data } = image;
  layOverWhite(data);
  const side = Math.min(width, height);
  if (side === size && width === height) {
    dropAlpha(data, out, offset);
    return;
  }
  const columns = filterTaps(width, (width - side) / 2, side, size);
  const rows = filterTaps(height, (height - side) / 2, side, size);
  // Along the columns first: that reads every pixel once and in the order of memory.
  const line = new Float32Array((columns.end - columns.first) * 4);
  for (let y = 0; y < size; y++) {
    combineRows(image, rows, y, columns.first, line);
    filterLine(line, columns, size, out, offset + y * size * 3);
  }
}

/** For each output position, `count` neighbouring input positions from `starts[i]` on, and their weights. */
type Taps = {
  readonly starts: Int32Array;
  readonly weights: Float32Array;
  readonly count: number;
  /** The input positions used at all: from `first` up to, not including, `end`. */
  readonly first: number;
  readonly end: number;
};

/** The filter from `side` input positions, beginning at `origin` (a fraction, maybe), to `size` output positions. */
function filterTaps(length: number, origin: number, side: number, size: number): Taps {
  const scale = side / size;
  const shrinks = scale > 1;
  const count = Math.min(length, shrinks ? Math.ceil(scale) + 1 : 2);
  const starts = new Int32Array(size);
  const weights = new Float32Array(size * count);
  for (let i = 0; i < size; i++) {
    const low = shrinks ? origin + i * scale : origin + (i + 0.5) * scale - 0.5;
    const high = shrinks ? low + scale : low + 1;
    const start = Math.min(Math.max(Math.floor(low), 0), length - count);
    starts[i] = start;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const at = start + k;
      const weight = shrinks
        ? Math.max(0, Math.min(high, at + 1) - Math.max(low, at))
        : Math.max(0, 1 - Math.abs(Math.min(Math.max(low, 0), length - 1) - at));
      weights[i * count + k] = weight;
      sum += weight;
    }
    for (let k = 0; k < count; k++) weights[i * count + k] = (weights[i * count + k] ?? 0) / sum;
  }
  return { starts, weights, count, first: starts[0] ?? 0, end: (starts[size - 1] ?? 0) + count };
}

/** Output row `y` before its columns are filtered: `line` is RGBA from column `first` on. */
function combineRows(
  { width, data }: DecodedImage,
  taps: Taps,
  y: number,
  first: number,
  line: Float32Array,
): void {
  line.fill(0);
  const length = line.length;
  for (let k = 0; k < taps.count; k++) {
    const weight = taps.weights[y * taps.count + k] ?? 0;
    if (weight === 0) continue;
    const from = (((taps.starts[y] ?? 0) + k) * width + first) * 4;
    for (let i = 0; i < length; i += 4) {
      line[i] = (line[i] ?? 0) + weight * (data[from + i] ?? 0);
      line[i + 1] = (line[i + 1] ?? 0) + weight * (data[from + i + 1] ?? 0);
      line[i + 2] = (line[i + 2] ?? 0) + weight * (data[from + i + 2] ?? 0);
    }
  }
}

/** Filters one row's columns into RGB bytes, rounded. */
function filterLine(
  line: Float32Array,
  { starts, weights, count, first }: Taps,
  size: number,
  out: Uint8Array,
  to: number,
): void {
  for (let x = 0; x < size; x++) {
    let from = ((starts[x] ?? 0) - first) * 4;
    let r = 0.5;
    let g = 0.5;
    let b = 0.5;
    for (let k = x * count, last = k + count; k < last; k++, from += 4) {
      const weight = weights[k] ?? 0;
      r += weight * (line[from] ?? 0);
      g += weight * (line[from + 1] ?? 0);
      b += weight * (line[from + 2] ?? 0);
    }
    out[to] = Math.min(255, r);
    out[to + 1] = Math.min(255, g);
    out[to + 2] = Math.min(255, b);
    to += 3;
  }
}

function dropAlpha(data: Uint8ClampedArray, out: Uint8Array, to: number): void {
  for (let from = 0; from < data.length; from += 4, to += 3) {
    out[to] = data[from] ?? 0;
    out[to + 1] = data[from + 1] ?? 0;
    out[to + 2] = data[from + 2] ?? 0;
  }
}

/** Mixes what is transparent with white, in place. */
function layOverWhite(data: Uint8ClampedArray): void {
  for (let at = 0; at < data.length; at += 4) {
    const alpha = data[at + 3] ?? 255;
    if (alpha === 255) continue;
    const white = 255 * (255 - alpha) + 127;
    for (let channel = at; channel < at + 3; channel++) {
      data[channel] = Math.floor(((data[channel] ?? 0) * alpha + white) / 255);
    }
    data[at + 3] = 255;
  }
}
