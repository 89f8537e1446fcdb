import { gemm, multiplyPacked } from './gemm';
import { bytes } from './simd';
import {
  TRANSFORM_BYTES,
  filterToPoints,
  frame,
  imageToPoints,
  pointsOf,
  pointsToFilterGradient,
  pointsToResult,
  resultGradientToPoints,
} from './winogradTransforms';

// A convolution 3x3 with stride 1 over NHWC images by Winograd's minimal filtering. Images are cut into tiles whose
// results have the side `size`, 2 or 4; a tile becomes (size + 2)^2 points, for each of which the convolution is a matrix
// product over the channels. Tiles are taken in ranges counted over the whole batch, and their points lie
// `pointBytes` apart, each [tiles, channels].

/** Distance of the points of `tiles` tiles: not a power of two, so that a tile's points do not share a cache set. */
export function winogradPointBytes(tiles: i32, channels: i32): i32 {
  return <i32>bytes(tiles * channels) + 64;
}

/** Scratch of {@link winogradImage}, {@link winogradResultGradient} and {@link winogradResult}: a frame and a transform. */
export function winogradScratchBytes(size: i32, tilesY: i32, tilesX: i32, channels: i32): i32 {
  const values = (tilesY * size + 2) * (tilesX * size + 2) * channels;
  return <i32>(bytes(values) + 2 * TRANSFORM_BYTES);
}

/** Turns the images at `x` into points. */
export function winogradImage(
  size: i32,
  x: usize,
  points: usize,
  firstTile: i32,
  tiles: i32,
  height: i32,
  width: i32,
  channels: i32,
  padTop: i32,
  padLeft: i32,
  tilesY: i32,
  tilesX: i32,
  scratch: usize,
): void {
  const framed = scratch + 2 * TRANSFORM_BYTES;
  const frameHeight = tilesY * size + 2;
  const frameWidth = tilesX * size + 2;
  const column = bytes(channels);
  const row = <usize>frameWidth * column;
  const point = <usize>winogradPointBytes(tiles, channels);
  let framedImage = -1;
  for (let tile = firstTile; tile < firstTile + tiles; tile++) {
    const image = tile / (tilesY * tilesX);
    const place = tile - image * tilesY * tilesX;
    const tileY = place / tilesX;
    const tileX = place - tileY * tilesX;
    if (image !== framedImage) {
      const from = x + bytes(image * height * width * channels);
      frame(from, framed, height, width, channels, padTop, padLeft, frameHeight, frameWidth);
      framedImage = image;
    }
    const corner = framed + <usize>(tileY * size) * row + <usize>(tileX * size) * column;
    for (let c = 0; c < channels; c += 4) {
      imageToPoints(size, corner + bytes(c), row, column, points + bytes(c), point, scratch);
    }
    points += column;
  }
}

/** Turns the gradient of the result, [images, height, width, channels], into points. */
export function winogradResultGradient(
  size: i32,
  dy: usize,
  points: usize,
  firstTile: i32,
  tiles: i32,
  height: i32,
  width: i32,
  channels: i32,
  tilesY: i32,
  tilesX: i32,
  scratch: usize,
): void {
  const framed = scratch + 2 * TRANSFORM_BYTES;
  const column = bytes(channels);
  const row = <usize>(tilesX * size) * column;
  const point = <usize>winogradPointBytes(tiles, channels);
  let framedImage = -1;
  for (let tile = firstTile; tile < firstTile + tiles; tile++) {
    const image = tile / (tilesY * tilesX);
    const place = tile - image * tilesY * tilesX;
    const tileY = place / tilesX;
    const tileX = place - tileY * tilesX;
    if (image !== framedImage) {
      const from = dy + bytes(image * height * width * channels);
      frame(from, framed, height, width, channels, 0, 0, tilesY * size, tilesX * size);
      framedImage = image;
    }
    const corner = framed + <usize>(tileY * size) * row + <usize>(tileX * size) * column;
    for (let c = 0; c < channels; c += 4) {
      resultGradientToPoints(size, corner + bytes(c), row, column, points + bytes(c), point, scratch);
    }
    points += column;
  }
}

/** Turns points into the result, [images, height, width, channels]. */
export function winogradResult(
  size: i32,
  points: usize,
  y: usize,
  firstTile: i32,
  tiles: i32,
  height: i32,
  width: i32,
  channels: i32,
  tilesY: i32,
  tilesX: i32,
  scratch: usize,
): void {
  const result = scratch + TRANSFORM_BYTES;
  const column = bytes(channels);
  const point = <usize>winogradPointBytes(tiles, channels);
  for (let tile = firstTile; tile < firstTile + tiles; tile++) {
    const image = tile / (tilesY * tilesX);
    const place = tile - image * tilesY * tilesX;
    const tileY = place / tilesX;
    const top = tileY * size;
    const left = (place - tileY * tilesX) * size;
    const rows = min(size, height - top);
    const columns = min(size, width - left);
    const corner = y + <usize>((image * height + top) * width + left) * column;
    for (let c = 0; c < channels; c += 4) {
      pointsToResult(size, points + bytes(c), point, result, scratch);
      for (let i = 0; i < rows; i++) {
        const to = corner + <usize>(i * width) * column + bytes(c);
        const from = result + ((<usize>(i * size)) << 4);
        for (let j = 0; j < columns; j++) {
          v128.store(to + <usize>j * column, v128.load(from + ((<usize>j) << 4)));
        }
      }
    }
    points += column;
  }
}

/**
 * Turns a filter [3, 3, from, to] into points, each packed for {@link winogradMultiply}: panels of 8 columns. `to` is a
 * multiple of 8. `scratch` holds {@link winogradScratchBytes} for no tile.
 */
export function winogradFilter(
  size: i32,
  filter: usize,
  packed: usize,
  from: i32,
  to: i32,
  scratch: usize,
): void {
  const point = bytes(from * to);
  const tap = bytes(from * to);
  for (let c = 0; c < from; c++) {
    for (let n = 0; n < to; n += 4) {
      const target = packed + bytes((n >> 3) * from * 8 + c * 8 + (n & 4));
      filterToPoints(size, filter + bytes(c * to + n), 3 * tap, tap, target, point, scratch);
    }
  }
}

/** Turns a filter [3, 3, from, to] around: [3, 3, to, from] with both sides reversed. Both are multiples of 4. */
export function winogradReverse(filter: usize, reversed: usize, from: i32, to: i32): void {
  for (let tap = 0; tap < 9; tap++) {
    const source = filter + bytes(tap * from * to);
    const target = reversed + bytes((8 - tap) * from * to);
    const rowFrom = bytes(to);
    const rowTo = bytes(from);
    for (let c = 0; c < from; c += 4) {
      for (let n = 0; n < to; n += 4) {
        const at = source + bytes(c * to + n);
        const x0 = v128.load(at);
        const x1 = v128.load(at + rowFrom);
        const x2 = v128.load(at + 2 * rowFrom);
        const x3 = v128.load(at + 3 * rowFrom);
        const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
        const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5);
        const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
        const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
        const out = target + bytes(n * from + c);
        v128.store(out, v128.shuffle<f64>(low01, low23, 0, 2));
        v128.store(out + rowTo, v128.shuffle<f64>(low01, low23, 1, 3));
        v128.store(out + 2 * rowTo, v128.shuffle<f64>(high01, high23, 0, 2));
        v128.store(out + 3 * rowTo, v128.shuffle<f64>(high01, high23, 1, 3));
      }
    }
  }
}

/** Multiplies the points of images by those of a packed filter. `edge` holds {@link gemmScratchBytes} for no column. */
export function winogradMultiply(
  size: i32,
  images: usize,
  packed: usize,
  results: usize,
  tiles: i32,
  from: i32,
  to: i32,
  edge: usize,
): void {
  const points = pointsOf(size);
  for (let point = 0; point < points; point++) {
    multiplyPacked(images, bytes(from), packed, results, bytes(to), tiles, to, from, edge);
    images += winogradPointBytes(tiles, from);
    results += winogradPointBytes(tiles, to);
    packed += bytes(from * to);
  }
}

/**
 * Multiplies the points of images by those of the result's gradient over the tiles: the points of the filter's gradient,
 * each [from, to] without a gap, are written, or added to with `accumulate`. `scratch` is {@link gemm}'s.
 */
export function winogradMultiplyGradient(
  size: i32,
  images: usize,
  gradients: usize,
  results: usize,
  tiles: i32,
  from: i32,
  to: i32,
  scratch: usize,
  accumulate: bool,
): void {
  const points = pointsOf(size);
  const rowFrom = bytes(from);
  const rowTo = bytes(to);
  for (let point = 0; point < points; point++) {
    gemm(images, 4, rowFrom, gradients, rowTo, 4, results, rowTo, from, to, tiles, scratch, accumulate);
    images += winogradPointBytes(tiles, from);
    gradients += winogradPointBytes(tiles, to);
    results += <usize>from * rowTo;
  }
}

/** Turns the points of a filter's gradient, each [from, to], into the gradient [3, 3, from, to]. */
export function winogradFilterGradient(
  size: i32,
  points: usize,
  gradient: usize,
  from: i32,
  to: i32,
  scratch: usize,
): void {
  const tap = bytes(from * to);
  for (let i = 0; i < from * to; i += 4) {
    pointsToFilterGradient(size, points + bytes(i), tap, gradient + bytes(i), 3 * tap, tap, scratch);
  }
}
