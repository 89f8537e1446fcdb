import type { TensorInfo } from '@tensorflow/tfjs-core';
import { registerWasmKernel, type WasmContext } from '../context';
import { sizeOf } from '../heap';
import type { KernelCall } from '../kernelCall';
import { multiply, multiplyScratchBytes, type Matrix } from './gemm';
import { convolution, type Convolution } from './convolution';
import { convolveTiles, inputGradientOfTiles, filterGradientOfTiles, tilesOf } from './winograd';

/** Values of a chunk of the column matrix: 512 KiB, so that it is still in the cache when it is multiplied. */
const chunkFloats = 128 * 1024;

/** Values of one row of the column matrix, which is one window of the image. */
const windowSize = (c: Convolution): number => c.filterHeight * c.filterWidth * c.inChannels;

/** A 1x1 convolution without stride or padding reads the image as its column matrix. */
const isPointwise = (c: Convolution): boolean =>
  c.filterHeight === 1 &&
  c.filterWidth === 1 &&
  c.strideHeight === 1 &&
  c.strideWidth === 1 &&
  c.outHeight === c.inHeight &&
  c.outWidth === c.inWidth &&
  c.padInfo.top === 0 &&
  c.padInfo.left === 0;

/** Ranges of output lines, counted over the batch, whose column matrices fit a chunk. */
function* chunks(c: Convolution): Generator<{ first: number; lines: number; row: number; rows: number }> {
  const total = c.batchSize * c.outHeight;
  const perChunk = Math.max(1, Math.floor(chunkFloats / (c.outWidth * windowSize(c))));
  for (let first = 0; first < total; first += perChunk) {
    const lines = Math.min(perChunk, total - first);
    yield { first, lines, row: first * c.outWidth, rows: lines * c.outWidth };
  }
}

/** Scratch for one chunk of columns. */
function columnBytes(c: Convolution): number {
  const lineBytes = c.outWidth * windowSize(c) * 4;
  const total = lineBytes * c.batchSize * c.outHeight;
  return Math.min(total, Math.max(lineBytes, chunkFloats * 4));
}

/** The geometry in the order of im2col's and col2im's parameters. */
const geometry = (c: Convolution): number[] => [
  c.inHeight,
  c.inWidth,
  c.inChannels,
  c.filterHeight,
  c.filterWidth,
  c.strideHeight,
  c.strideWidth,
  c.padInfo.top,
  c.padInfo.left,
  c.outHeight,
  c.outWidth,
];

/**
 * Walks over the column matrix of the images at `images`: as a whole where they are it themselves, else chunk by chunk in
 * scratch that `visit` fills. `row` is the chunk's first row; `first` and `lines` are its output lines, none where
 * `columns` is the images. `product` sizes the scratch of the product that each chunk takes part in.
 */
function eachChunk(
  context: WasmContext,
  c: Convolution,
  images: number,
  product: { columns: number; depth: number },
  visit: (chunk: { columns: Matrix; row: number; first: number; lines: number; scratch: number }) => void,
): void {
  const { heap } = context;
  const size = windowSize(c);
  const scratchBytes = multiplyScratchBytes(context, product.columns, product.depth);
  if (isPointwise(c)) {
    const rows = c.batchSize * c.outHeight * c.outWidth;
    const columns = { address: images, rows, columns: size };
    heap.withScratch(scratchBytes, (scratch) => visit({ columns, row: 0, first: 0, lines: 0, scratch }));
    return;
  }
  heap.withScratch(scratchBytes, (scratch) =>
    heap.withScratch(columnBytes(c), (address) => {
      for (const { first, lines, row, rows } of chunks(c)) {
        visit({ columns: { address, rows, columns: size }, row, first, lines, scratch });
      }
    }),
  );
}

function conv2D(context: WasmContext, call: KernelCall): TensorInfo | TensorInfo[] {
  const { heap, kernels } = context;
  const x = call.input('x');
  const filter = call.input('filter');
  const c = convolution(context, call, x.shape, filter.shape);
  if (c.dilationHeight !== 1 || c.dilationWidth !== 1) return call.stock();
  const out = heap.allocate(c.outShape);
  const images = heap.address(x);
  const tiling = tilesOf(c);
  if (tiling) {
    convolveTiles(context, tiling, images, heap.address(filter), heap.address(out));
    return out;
  }
  const weights = { address: heap.address(filter), rows: windowSize(c), columns: c.outChannels };
  eachChunk(context, c, images, { columns: c.outChannels, depth: windowSize(c) }, (chunk) => {
    const { columns, row, first, lines, scratch } = chunk;
    if (lines > 0) kernels.im2col(images, columns.address, first, lines, ...geometry(c));
    multiply(context, columns, weights, heap.address(out) + row * c.outChannels * 4, scratch);
  });
  return out;
}

function conv2DBackpropFilter(context: WasmContext, call: KernelCall): TensorInfo {
  const { heap, kernels } = context;
  const x = call.input('x');
  const dy = call.input('dy');
  const filterShape = call.numbers('filterShape');
  const c = convolution(context, call, x.shape, filterShape);
  const out = heap.allocate(filterShape);
  const images = heap.address(x);
  const tiling = tilesOf(c);
  if (tiling) {
    filterGradientOfTiles(context, tiling, images, heap.address(dy), heap.address(out));
    return out;
  }
  const depth = c.batchSize * c.outHeight * c.outWidth;
  eachChunk(context, c, images, { columns: c.outChannels, depth }, (chunk) => {
    const { columns, row, first, lines, scratch } = chunk;
    if (lines > 0) kernels.im2col(images, columns.address, first, lines, ...geometry(c));
    const windows = {
      address: columns.address,
      rows: columns.columns,
      columns: columns.rows,
      transposed: true,
    };
    const gradient = {
      address: heap.address(dy) + row * c.outChannels * 4,
      rows: columns.rows,
      columns: c.outChannels,
    };
    multiply(context, windows, gradient, heap.address(out), scratch, row > 0);
  });
  return out;
}

function conv2DBackpropInput(context: WasmContext, call: KernelCall): TensorInfo {
  const { heap, kernels } = context;
  const dy = call.input('dy');
  const filter = call.input('filter');
  const inputShape = call.numbers('inputShape');
  const c = convolution(context, call, inputShape, filter.shape);
  const out = heap.allocate(inputShape);
  const target = heap.address(out);
  if (inputGradientOfTiles(context, c, heap.address(dy), heap.address(filter), target)) return out;
  const weights = {
    address: heap.address(filter),
    rows: c.outChannels,
    columns: windowSize(c),
    transposed: true,
  };
  if (!isPointwise(c)) kernels.clear(target, sizeOf(inputShape));
  eachChunk(context, c, target, { columns: windowSize(c), depth: c.outChannels }, (chunk) => {
    const { columns, row, first, lines, scratch } = chunk;
    const gradient = {
      address: heap.address(dy) + row * c.outChannels * 4,
      rows: columns.rows,
      columns: c.outChannels,
    };
    multiply(context, gradient, weights, columns.address, scratch);
    if (lines > 0) kernels.col2im(columns.address, target, first, lines, ...geometry(c));
  });
  return out;
}

/**
 * Registers Conv2D and its two gradients, by Winograd's filtering where that fits, else by im2col and a matrix product; a
 * dilated Conv2D stays with the stock kernel.
 */
export function installConv2D(context: WasmContext): void {
  const { tf } = context;
  registerWasmKernel(tf, tf.Conv2D, (call) => conv2D(context, call));
  registerWasmKernel(tf, tf.Conv2DBackpropFilter, (call) => conv2DBackpropFilter(context, call));
  registerWasmKernel(tf, tf.Conv2DBackpropInput, (call) => conv2DBackpropInput(context, call));
}
