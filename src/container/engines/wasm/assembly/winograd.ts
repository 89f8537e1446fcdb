import { gemm, multiplyPacked } from './gemm';
import { bytes } from './simd';
import {
  TRANSFORM_BYTES,
  extentOf,
  filterToPoints,
  frame,
  imageToPoints,
  pointsToFilterGradient,
  pointsToImageGradient,
  pointsToResult,
  resultGradientToPoints,
  resultSideOf,
  sideOf,
  stepOf,
} from './winogradTransforms';

// A convolution 3x3 with stride 1 or 2 over NHWC images by Winograd's minimal filtering. Images are cut into tiles of a
// `kind` (see winogradTransforms.ts); a tile becomes points, for each of which the convolution is a matrix product over
// the channels. Tiles are taken in ranges counted over the whole batch, and their points lie
// `pointBytes` apart, each [tiles, channels].

function pointsOf(kind: i32): i32 {
  return sideOf(kind) * sideOf(kind);
}

/** Distance of the points of `tiles` tiles: not a power of two, so that a tile's points do not share a cache set. */
export function winogradPointBytes(tiles: i32, channels: i32): i32 {
  return <i32>bytes(tiles * channels) + 64;
}

/** Scratch of {@link winogradImage}, {@link winogradResultGradient} and {@link winogradResult}: a frame and a transform. */
export function winogradScratchBytes(kind: i32, tilesY: i32, tilesX: i32, channels: i32): i32 {
  const values = extentOf(kind, tilesY) * extentOf(kind, tilesX) * channels;
  return <i32>(bytes(values) + 2 * TRANSFORM_BYTES);
}

/** Turns the images at `x` into points. */
export function winogradImage(
  kind: i32,
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
  const frameHeight = extentOf(kind, tilesY);
  const frameWidth = extentOf(kind, tilesX);
  const step = stepOf(kind);
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
    const corner = framed + <usize>(tileY * step) * row + <usize>(tileX * step) * column;
    for (let c = 0; c < channels; c += 4) {
      imageToPoints(kind, corner + bytes(c), row, column, points + bytes(c), point, scratch);
    }
    points += column;
  }
}

/** Turns the gradient of the result, [images, height, width, channels], into points. */
export function winogradResultGradient(
  kind: i32,
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
  const size = resultSideOf(kind);
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
      resultGradientToPoints(kind, corner + bytes(c), row, column, points + bytes(c), point, scratch);
    }
    points += column;
  }
}

/** Turns points into the result, [images, height, width, channels]. */
export function winogradResult(
  kind: i32,
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
  const size = resultSideOf(kind);
  const result = scratch + TRANSFORM_BYTES;
  const column = bytes(channels);
  const point = <usize>winogradPointBytes(tiles, channels);
  for (let tile = firstTile; tile < firstTile + tiles; tile++) {
    const image = tile / (tilesY * tilesX);
    const place = tile - image * tilesY * tilesX;
    const tileY = place / tilesX;
    const top = tileY * size;
    const left = (place - tileY * tilesX) * size;
    const rows = min(kind, height - top);
    const columns = min(kind, width - left);
    const corner = y + <usize>((image * height + top) * width + left) * column;
    for (let c = 0; c < channels; c += 4) {
      pointsToResult(kind, points + bytes(c), point, result, scratch);
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

/** Adds the points of the images' gradient to `dx`; for stride 2 alone. */
export function winogradImageGradient(
  points: usize,
  dx: usize,
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
  const values = scratch + TRANSFORM_BYTES;
  const column = bytes(channels);
  const point = <usize>winogradPointBytes(tiles, channels);
  for (let tile = firstTile; tile < firstTile + tiles; tile++) {
    const image = tile / (tilesY * tilesX);
    const place = tile - image * tilesY * tilesX;
    const tileY = place / tilesX;
    const top = tileY * 4 - padTop;
    const left = (place - tileY * tilesX) * 4 - padLeft;
    const firstY = max(0, -top);
    const endY = min(5, height - top);
    const firstX = max(0, -left);
    const endX = min(5, width - left);
    for (let c = 0; c < channels; c += 4) {
      pointsToImageGradient(points + bytes(c), point, values, scratch);
      for (let i = firstY; i < endY; i++) {
        let to = dx + <usize>((image * height + top + i) * width + left + firstX) * column + bytes(c);
        for (let j = firstX; j < endX; j++) {
          const from = values + ((<usize>(i * 5 + j)) << 4);
          v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
          to += column;
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
  kind: i32,
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
      filterToPoints(kind, filter + bytes(c * to + n), 3 * tap, tap, target, point, scratch);
    }
  }
}

/**
 * Exchanges the channels of a filter [3, 3, from, to]: [3, 3, to, from], and `turn`s it around, both sides reversed. Both
 * are multiples of 4.
 */
export function winogradExchange(filter: usize, reversed: usize, from: i32, to: i32, turn: bool): void {
  for (let tap = 0; tap < 9; tap++) {
    const source = filter + bytes(tap * from * to);
    const target = reversed + bytes((turn ? 8 - tap : tap) * from * to);
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
  kind: i32,
  images: usize,
  packed: usize,
  results: usize,
  tiles: i32,
  from: i32,
  to: i32,
  edge: usize,
): void {
  const points = pointsOf(kind);
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
  kind: i32,
  images: usize,
  gradients: usize,
  results: usize,
  tiles: i32,
  from: i32,
  to: i32,
  scratch: usize,
  accumulate: bool,
): void {
  const points = pointsOf(kind);
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
  kind: i32,
  points: usize,
  gradient: usize,
  from: i32,
  to: i32,
  scratch: usize,
): void {
  const tap = bytes(from * to);
  for (let i = 0; i < from * to; i += 4) {
    pointsToFilterGradient(kind, points + bytes(i), tap, gradient + bytes(i), 3 * tap, tap, scratch);
  }
}
