import type { WasmContext } from '../context';
import type { Convolution } from './convolution';

/** A convolution 3x3 with stride 1 that is computed in tiles; see assembly/winograd.ts. */
export interface Tiling {
  /** Side of a tile's result. */
  readonly size: 2 | 4;
  readonly tilesY: number;
  readonly tilesX: number;
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly from: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly to: number;
}

/** Fewer channels do not pay for the transforms. */
const FEWEST_CHANNELS = 16;
/** Products of the direct way for each of the tiles' below which the transforms cost more than they save. */
const LEAST_GAIN = 1.5;
/** Values of a range of tiles: 1 MiB, of which the parts that one product reads stay in the second-level cache. */
const RANGE_FLOATS = 256 * 1024;
/** Tiles of a range at least, since each range reads the whole filter; a multiple of the 6 rows of a product's tile. */
const FEWEST_TILES = 48;

const pointsOf = (size: number): number => (size + 2) ** 2;

function tilingOf(shape: Omit<Tiling, 'size' | 'tilesY' | 'tilesX'>): Tiling | undefined {
  const { from, to, outHeight, outWidth } = shape;
  if (from % 8 !== 0 || to % 8 !== 0 || Math.min(from, to) < FEWEST_CHANNELS) return undefined;
  const small = tilesOfSize(2, outHeight, outWidth);
  const large = tilesOfSize(4, outHeight, outWidth);
  // The smaller ones, which round less, where both cost the same.
  const { products, ...tiles } = large.products < small.products ? large : small;
  return outHeight * outWidth * 9 < LEAST_GAIN * products ? undefined : { ...shape, ...tiles };
}

function tilesOfSize(size: 2 | 4, outHeight: number, outWidth: number) {
  const tilesY = Math.ceil(outHeight / size);
  const tilesX = Math.ceil(outWidth / size);
  return { size, tilesY, tilesX, products: tilesY * tilesX * pointsOf(size) };
}

const fits = (c: Convolution): boolean =>
  c.filterHeight === 3 &&
  c.filterWidth === 3 &&
  c.strideHeight === 1 &&
  c.strideWidth === 1 &&
  c.dilationHeight === 1 &&
  c.dilationWidth === 1 &&
  c.padInfo.top <= 2 &&
  c.padInfo.left <= 2;

/** How to compute a convolution and the gradient of its filter in tiles; undefined where that does not fit or not pay. */
export function tilesOf(c: Convolution): Tiling | undefined {
  if (!fits(c)) return undefined;
  return tilingOf({
    images: c.batchSize,
    height: c.inHeight,
    width: c.inWidth,
    from: c.inChannels,
    padTop: c.padInfo.top,
    padLeft: c.padInfo.left,
    outHeight: c.outHeight,
    outWidth: c.outWidth,
    to: c.outChannels,
  });
}

/** The same for the gradient of the images: the convolution of the result's gradient with the filter turned around. */
export function gradientTilesOf(c: Convolution): Tiling | undefined {
  if (!fits(c)) return undefined;
  return tilingOf({
    images: c.batchSize,
    height: c.outHeight,
    width: c.outWidth,
    from: c.outChannels,
    padTop: 2 - c.padInfo.top,
    padLeft: 2 - c.padInfo.left,
    outHeight: c.inHeight,
    outWidth: c.inWidth,
    to: c.inChannels,
  });
}

/** Addresses of memory for the points of a range of tiles, and the ranges. */
interface Work {
  readonly images: number;
  readonly results: number;
  readonly scratch: number;
  readonly ranges: readonly { first: number; tiles: number }[];
}

function withWork(context: WasmContext, t: Tiling, use: (work: Work) => void): void {
  const { heap, kernels } = context;
  const { size, tilesY, tilesX, from, to } = t;
  const total = t.images * tilesY * tilesX;
  const fitting = Math.floor(RANGE_FLOATS / (pointsOf(size) * (from + to)));
  const most = Math.min(total, Math.max(FEWEST_TILES, fitting - (fitting % 6)));
  const ranges: { first: number; tiles: number }[] = [];
  for (let first = 0; first < total; first += most) {
    ranges.push({ first, tiles: Math.min(most, total - first) });
  }
  const pointBytes = (channels: number) => pointsOf(size) * kernels.winogradPointBytes(most, channels);
  const scratchBytes = Math.max(
    kernels.winogradScratchBytes(size, tilesY, tilesX, Math.max(from, to)),
    kernels.gemmScratchBytes(to, most),
  );
  heap.withScratch(pointBytes(from), (images) =>
    heap.withScratch(pointBytes(to), (results) =>
      heap.withScratch(scratchBytes, (scratch) => use({ images, results, scratch, ranges })),
    ),
  );
}

function toImagePoints({ kernels }: WasmContext, t: Tiling, x: number, work: Work, range: number): number {
  const { first, tiles } = work.ranges[range] ?? { first: 0, tiles: 0 };
  kernels.winogradImage(
    t.size,
    x,
    work.images,
    first,
    tiles,
    t.height,
    t.width,
    t.from,
    t.padTop,
    t.padLeft,
    t.tilesY,
    t.tilesX,
    work.scratch,
  );
  return tiles;
}

/** Writes the convolution of the images at `x` with the filter [3, 3, from, to] to `y`. */
export function convolveTiles(context: WasmContext, t: Tiling, x: number, filter: number, y: number): void {
  const { heap, kernels } = context;
  const { size, from, to } = t;
  heap.withScratch(pointsOf(size) * from * to * 4, (packed) =>
    withWork(context, t, (work) => {
      kernels.winogradFilter(size, filter, packed, from, to, work.scratch);
      work.ranges.forEach(({ first, tiles }, range) => {
        toImagePoints(context, t, x, work, range);
        kernels.winogradMultiply(size, work.images, packed, work.results, tiles, from, to, work.scratch);
        kernels.winogradResult(
          size,
          work.results,
          y,
          first,
          tiles,
          t.outHeight,
          t.outWidth,
          to,
          t.tilesY,
          t.tilesX,
          work.scratch,
        );
      });
    }),
  );
}

/** Writes the gradient of the images to `dx`; `t` is of {@link gradientTilesOf}, the filter as the convolution's. */
export function inputGradientOfTiles(
  context: WasmContext,
  t: Tiling,
  dy: number,
  filter: number,
  dx: number,
): void {
  const { heap, kernels } = context;
  heap.withScratch(9 * t.from * t.to * 4, (reversed) => {
    kernels.winogradReverse(filter, reversed, t.to, t.from);
    convolveTiles(context, t, dy, reversed, dx);
  });
}

/** Writes the gradient of the filter to `gradient`. */
export function filterGradientOfTiles(
  context: WasmContext,
  t: Tiling,
  x: number,
  dy: number,
  gradient: number,
): void {
  const { heap, kernels } = context;
  const { size, from, to } = t;
  heap.withScratch(pointsOf(size) * from * to * 4, (points) =>
    withWork(context, t, (work) => {
      work.ranges.forEach(({ first, tiles }, range) => {
        toImagePoints(context, t, x, work, range);
        kernels.winogradResultGradient(
          size,
          dy,
          work.results,
          first,
          tiles,
          t.outHeight,
          t.outWidth,
          to,
          t.tilesY,
          t.tilesX,
          work.scratch,
        );
        kernels.winogradMultiplyGradient(
          size,
          work.images,
          work.results,
          points,
          tiles,
          from,
          to,
          work.scratch,
          range > 0,
        );
      });
      kernels.winogradFilterGradient(size, points, gradient, from, to, work.scratch);
    }),
  );
}
