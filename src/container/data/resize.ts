import type { DecodedImage } from './decodeImage';

/**
 * Scales an image so that its shorter side is `size`, cuts the square from its centre, lays it over white and writes
 * it to `out` at `offset`: RGB, shape [size, size, 3]. Shrinking averages areas (a box filter with fractional
 * weights), enlarging interpolates linearly between pixel centres.
 */
export function resizeToSquare(image: DecodedImage, size: number, out: Uint8Array, offset = 0): void {
  const { width, height } = image;
  const rgb = overWhite(image);
  const side = Math.min(width, height);
  if (side === size && width === height) {
    out.set(rgb, offset);
    return;
  }
  const columns = filterTaps(width, (width - side) / 2, side, size);
  const rows = filterTaps(height, (height - side) / 2, side, size);
  const narrow = shrinkColumns(rgb, width, rows.first, rows.end, columns, size);
  combineRows(narrow, rows, size, out, offset);
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

/** Filters along rows `first` to `end`: from [height, width, 3] to [end - first, size, 3]. */
function shrinkColumns(
  rgb: Uint8Array,
  width: number,
  first: number,
  end: number,
  { starts, weights, count }: Taps,
  size: number,
): Float32Array {
  const narrow = new Float32Array((end - first) * size * 3);
  let to = 0;
  for (let y = first; y < end; y++) {
    for (let x = 0; x < size; x++) {
      let from = (y * width + (starts[x] ?? 0)) * 3;
      let r = 0;
      let g = 0;
      let b = 0;
      for (let k = x * count, last = k + count; k < last; k++, from += 3) {
        const weight = weights[k] ?? 0;
        r += weight * (rgb[from] ?? 0);
        g += weight * (rgb[from + 1] ?? 0);
        b += weight * (rgb[from + 2] ?? 0);
      }
      narrow[to++] = r;
      narrow[to++] = g;
      narrow[to++] = b;
    }
  }
  return narrow;
}

/** Filters along columns, from [rows, size, 3] to bytes of [size, size, 3], rounded. */
function combineRows(narrow: Float32Array, taps: Taps, size: number, out: Uint8Array, offset: number): void {
  const rowLength = size * 3;
  const sums = new Float32Array(rowLength);
  for (let y = 0; y < size; y++) {
    sums.fill(0.5);
    for (let k = 0; k < taps.count; k++) {
      const weight = taps.weights[y * taps.count + k] ?? 0;
      if (weight === 0) continue;
      const row = ((taps.starts[y] ?? 0) + k - taps.first) * rowLength;
      for (let i = 0; i < rowLength; i++) sums[i] = (sums[i] ?? 0) + weight * (narrow[row + i] ?? 0);
    }
    const to = offset + y * rowLength;
    for (let i = 0; i < rowLength; i++) out[to + i] = Math.min(255, sums[i] ?? 0);
  }
}

/** The pixels without alpha, laid over white: shape [height, width, 3]. */
function overWhite({ width, height, data }: DecodedImage): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    const alpha = data[from + 3] ?? 255;
    if (alpha === 255) {
      rgb[to] = data[from] ?? 0;
      rgb[to + 1] = data[from + 1] ?? 0;
      rgb[to + 2] = data[from + 2] ?? 0;
    } else {
      const white = 255 * (255 - alpha) + 127;
      rgb[to] = ((data[from] ?? 0) * alpha + white) / 255;
      rgb[to + 1] = ((data[from + 1] ?? 0) * alpha + white) / 255;
      rgb[to + 2] = ((data[from + 2] ?? 0) * alpha + white) / 255;
    }
  }
  return rgb;
}
