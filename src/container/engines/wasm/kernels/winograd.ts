import type { WasmContext } from '../context';
import type { Convolution } from './convolution';

/** 4 and 2: tiles with results of that side, for stride 1. 5: tiles with results of side 2, for stride 2. */
type TileKind = 2 | 4 | 5;

/** A convolution 3x3 with stride 1 or 2 that is computed in tiles; see assembly/winograd.ts. */
export interface Tiling {
  readonly kind: TileKind;
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

/** Fewer channels do not pay for the transforms, which are more for each result with a stride of 2. */
const fewestChannels = (stride: number): number => (stride === 1 ? 16 : 64);
/** Products of the direct way for each of the tiles' below which the transforms cost more than they save. */
const LEAST_GAIN = 1.3;
/** Values of a range of tiles: 1 MiB, of which the parts that one product reads stay in the second-level cache. */
const RANGE_FLOATS = 256 * 1024;
/** Tiles of a range at least, since each range reads the whole filter; a multiple of the 6 rows of a product's tile. */
const FEWEST_TILES = 48;

const pointsOf = (kind: TileKind): number => (kind === 5 ? 5 : kind + 2) ** 2;

/** Those that may fit, the ones that round less first. */
const kindsFor = (stride: number): readonly TileKind[] => (stride === 1 ? [2, 4] : [5]);

function tilingOf(shape: Omit<Tiling, 'kind' | 'tilesY' | 'tilesX'>, stride: number): Tiling | undefined {
  const { from, to, outHeight, outWidth } = shape;
  if (from % 8 !== 0 || to % 8 !== 0 || Math.min(from, to) < fewestChannels(stride)) return undefined;
  const best = kindsFor(stride)
    .map((kind) => tilesOfKind(kind, outHeight, outWidth))
    .reduce((least, tiles) => (tiles.products < least.products ? tiles : least));
  const { products, ...tiles } = best;
  return outHeight * outWidth * 9 < LEAST_GAIN * products ? undefined : { ...shape, ...tiles };
}

function tilesOfKind(kind: TileKind, outHeight: number, outWidth: number) {
  const side = kind === 4 ? 4 : 2;
  const tilesY = Math.ceil(outHeight / side);
  const tilesX = Math.ceil(outWidth / side);
  return { kind, tilesY, tilesX, products: tilesY * tilesX * pointsOf(kind) };
}

const fits = (c: Convolution): boolean =>
  c.filterHeight === 3 &&
  c.filterWidth === 3 &&
  c.strideHeight === c.strideWidth &&
  c.strideHeight <= 2 &&
  c.dilationHeight === 1 &&
  c.dilationWidth === 1 &&
  c.padInfo.top <= 2 &&
  c.padInfo.left <= 2;

/** How to compute a convolution and its gradients in tiles; undefined where that does not fit or not pay. */
export function tilesOf(c: Convolution): Tiling | undefined {
  if (!fits(c)) return undefined;
  const shape = {
    images: c.batchSize,
    height: c.inHeight,
    width: c.inWidth,
    from: c.inChannels,
    padTop: c.padInfo.top,
    padLeft: c.padInfo.left,
    outHeight: c.outHeight,
    outWidth: c.outWidth,
    to: c.outChannels,
  };
  return tilingOf(shape, c.strideHeight);
}

/** With stride 1, the gradient of the images is the convolution of the result's gradient with the filter turned around. */
function turnedTilesOf(c: Convolution): Tiling | undefined {
  const shape = {
    images: c.batchSize,
    height: c.outHeight,
    width: c.outWidth,
    from: c.outChannels,
    padTop: 2 - c.padInfo.top,
    padLeft: 2 - c.padInfo.left,
    outHeight: c.inHeight,
    outWidth: c.inWidth,
    to: c.inChannels,
  };
  return tilingOf(shape, 1);
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
  const { kind, tilesY, tilesX, from, to } = t;
  const total = t.images * tilesY * tilesX;
  const fitting = Math.floor(RANGE_FLOATS / (pointsOf(kind) * (from + to)));
  const most = Math.min(total, Math.max(FEWEST_TILES, fitting - (fitting % 6)));
  const ranges: { first: number; tiles: number }[] = [];
  for (let first = 0; first < total; first += most) {
    ranges.push({ first, tiles: Math.min(most, total - first) });
  }
  const pointBytes = (channels: number) => pointsOf(kind) * kernels.winogradPointBytes(most, channels);
  const scratchBytes = Math.max(
    kernels.winogradScratchBytes(kind, tilesY, tilesX, Math.max(from, to)),
    kernels.gemmScratchBytes(to, most),
  );
  heap.withScratch(pointBytes(from), (images) =>
    heap.withScratch(pointBytes(to), (results) =>
      heap.withScratch(scratchBytes, (scratch) => use({ images, results, scratch, ranges })),
    ),
  );
}

function toImagePoints({ kernels }: WasmContext, t: Tiling, x: number, work: Work, range: number): void {
  const { first, tiles } = work.ranges[range] ?? { first: 0, tiles: 0 };
  kernels.winogradImage(
    t.kind,
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
}

function toGradientPoints({ kernels }: WasmContext, t: Tiling, dy: number, work: Work, range: number): void {
  const { first, tiles } = work.ranges[range] ?? { first: 0, tiles: 0 };
  kernels.winogradResultGradient(
    t.kind,
    dy,
    work.results,
    first,
    tiles,
    t.outHeight,
    t.outWidth,
    t.to,
    t.tilesY,
    t.tilesX,
    work.scratch,
  );
}

/** Writes the convolution of the images at `x` with the filter [3, 3, from, to] to `y`. */
export function convolveTiles(context: WasmContext, t: Tiling, x: number, filter: number, y: number): void {
  const { heap, kernels } = context;
  const { kind, from, to } = t;
  heap.withScratch(pointsOf(kind) * from * to * 4, (packed) =>
    withWork(context, t, (work) => {
      kernels.winogradFilter(kind, filter, packed, from, to, work.scratch);
      work.ranges.forEach(({ first, tiles }, range) => {
        toImagePoints(context, t, x, work, range);
        kernels.winogradMultiply(kind, work.images, packed, work.results, tiles, from, to, work.scratch);
        kernels.winogradResult(
          kind,
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

/**
 * Writes the gradient of the images to `dx`.
 * @returns false where that does not fit or not pay in tiles; nothing has been written then
 */
export function inputGradientOfTiles(
  context: WasmContext,
  c: Convolution,
  dy: number,
  filter: number,
  dx: number,
): boolean {
  const { heap, kernels } = context;
  const turn = c.strideHeight === 1;
  const t = !fits(c) ? undefined : turn ? turnedTilesOf(c) : tilesOf(c);
  if (t === undefined) return false;
  heap.withScratch(9 * t.from * t.to * 4, (exchanged) => {
    kernels.winogradExchange(filter, exchanged, c.inChannels, c.outChannels, turn);
    if (turn) convolveTiles(context, t, dy, exchanged, dx);
    else spreadTiles(context, t, dy, exchanged, dx);
  });
  return true;
}

/** The gradient of the images with stride 2: the transposed steps of the convolution. */
function spreadTiles(context: WasmContext, t: Tiling, dy: number, exchanged: number, dx: number): void {
  const { heap, kernels } = context;
  const { kind, from, to } = t;
  kernels.clear(dx, t.images * t.height * t.width * from);
  heap.withScratch(pointsOf(kind) * from * to * 4, (packed) =>
    withWork(context, t, (work) => {
      kernels.winogradFilter(kind, exchanged, packed, to, from, work.scratch);
      work.ranges.forEach(({ first, tiles }, range) => {
        toGradientPoints(context, t, dy, work, range);
        kernels.winogradMultiply(kind, work.results, packed, work.images, tiles, to, from, work.scratch);
        kernels.winogradImageGradient(
          work.images,
          dx,
          first,
          tiles,
          t.height,
          t.width,
          from,
          t.padTop,
          t.padLeft,
          t.tilesY,
          t.tilesX,
          work.scratch,
        );
      });
    }),
  );
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
  const { kind, from, to } = t;
  heap.withScratch(pointsOf(kind) * from * to * 4, (points) =>
    withWork(context, t, (work) => {
      work.ranges.forEach(({ tiles }, range) => {
        toImagePoints(context, t, x, work, range);
        toGradientPoints(context, t, dy, work, range);
        kernels.winogradMultiplyGradient(
          kind,
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
      kernels.winogradFilterGradient(kind, points, gradient, from, to, work.scratch);
    }),
  );
}
