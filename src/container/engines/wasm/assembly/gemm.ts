import { madd } from './simd';
import { packColumns, packRows } from './gemmPack';

/** Depth of a block: one tile's rows of A (6 x 256 values) stay in the first-level cache. */
const BLOCK_K = 256;
/** Width of a block: the packed block of B (256 x 256 values) stays in the second-level cache. */
const BLOCK_N = 256;
/** Columns of a tile, two vectors wide. */
const COLUMNS = 8;
/** Rows of a tile: its 12 accumulators leave V8 three vector registers for the operands. */
const ROWS = 6;

const EDGE_BYTES: usize = ROWS * COLUMNS * 4;
const PACKED_A_BYTES: usize = ROWS * BLOCK_K * 4;

/** Scratch that {@link gemm} needs for these sizes, in bytes. */
export function gemmScratchBytes(n: i32, k: i32): i32 {
  const panels = (min(n, BLOCK_N) + COLUMNS - 1) / COLUMNS;
  return <i32>(EDGE_BYTES + PACKED_A_BYTES) + min(k, BLOCK_K) * panels * COLUMNS * 4;
}

/**
 * One 6 x 8 tile of C. Row i of A starts at `ai` and steps by `stepA` bytes; `b` is a packed panel of 8 columns.
 * With `accumulate` the tile is added to what is in C.
 */
function tile(
  a0: usize,
  a1: usize,
  a2: usize,
  a3: usize,
  a4: usize,
  a5: usize,
  stepA: usize,
  b: usize,
  c: usize,
  strideC: usize,
  k: i32,
  accumulate: bool,
): void {
  const zero = f32x4.splat(0);
  const c1 = c + strideC;
  const c2 = c1 + strideC;
  const c3 = c2 + strideC;
  const c4 = c3 + strideC;
  const c5 = c4 + strideC;
  let s00 = zero,
    s01 = zero,
    s10 = zero,
    s11 = zero,
    s20 = zero,
    s21 = zero,
    s30 = zero,
    s31 = zero,
    s40 = zero,
    s41 = zero,
    s50 = zero,
    s51 = zero;
  if (accumulate) {
    s00 = v128.load(c);
    s01 = v128.load(c, 16);
    s10 = v128.load(c1);
    s11 = v128.load(c1, 16);
    s20 = v128.load(c2);
    s21 = v128.load(c2, 16);
    s30 = v128.load(c3);
    s31 = v128.load(c3, 16);
    s40 = v128.load(c4);
    s41 = v128.load(c4, 16);
    s50 = v128.load(c5);
    s51 = v128.load(c5, 16);
  }
  const end = b + <usize>k * (COLUMNS * 4);
  while (b < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    b += COLUMNS * 4;
    let x = v128.load32_splat(a0);
    a0 += stepA;
    s00 = madd(x, b0, s00);
    s01 = madd(x, b1, s01);
    x = v128.load32_splat(a1);
    a1 += stepA;
    s10 = madd(x, b0, s10);
    s11 = madd(x, b1, s11);
    x = v128.load32_splat(a2);
    a2 += stepA;
    s20 = madd(x, b0, s20);
    s21 = madd(x, b1, s21);
    x = v128.load32_splat(a3);
    a3 += stepA;
    s30 = madd(x, b0, s30);
    s31 = madd(x, b1, s31);
    x = v128.load32_splat(a4);
    a4 += stepA;
    s40 = madd(x, b0, s40);
    s41 = madd(x, b1, s41);
    x = v128.load32_splat(a5);
    a5 += stepA;
    s50 = madd(x, b0, s50);
    s51 = madd(x, b1, s51);
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c1, s10);
  v128.store(c1, s11, 16);
  v128.store(c2, s20);
  v128.store(c2, s21, 16);
  v128.store(c3, s30);
  v128.store(c3, s31, 16);
  v128.store(c4, s40);
  v128.store(c4, s41, 16);
  v128.store(c5, s50);
  v128.store(c5, s51, 16);
}

/** Copies the valid `rows` x `columns` corner of a tile between C and the scratch tile. */
function copyEdge(from: usize, strideFrom: usize, to: usize, strideTo: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = (<usize>j) << 2;
      store<f32>(to + at, load<f32>(from + at));
    }
    from += strideFrom;
    to += strideTo;
  }
}

/**
 * C[m, n] = A[m, k] B[k, n], or C += A B with `accumulate`.
 * A and B have any row and column stride in bytes, so a transpose costs nothing; C has contiguous rows `strideC` apart.
 * `scratch` holds {@link gemmScratchBytes} bytes. Tiles at an edge are computed whole, in the scratch.
 */
export function gemm(
  a: usize,
  rowStrideA: usize,
  columnStrideA: usize,
  b: usize,
  rowStrideB: usize,
  columnStrideB: usize,
  c: usize,
  strideC: usize,
  m: i32,
  n: i32,
  k: i32,
  scratch: usize,
  accumulate: bool,
): void {
  const edge = scratch;
  const packedA = edge + EDGE_BYTES;
  const packedB = packedA + PACKED_A_BYTES;
  for (let n0 = 0; n0 < n; n0 += BLOCK_N) {
    const width = min(BLOCK_N, n - n0);
    for (let k0 = 0; k0 < k; k0 += BLOCK_K) {
      const depth = min(BLOCK_K, k - k0);
      const add = accumulate || k0 > 0;
      packColumns(
        b + <usize>k0 * rowStrideB + <usize>n0 * columnStrideB,
        rowStrideB,
        columnStrideB,
        packedB,
        depth,
        width,
      );
      for (let m0 = 0; m0 < m; m0 += ROWS) {
        const rows = min(ROWS, m - m0);
        let a0 = a + <usize>m0 * rowStrideA + <usize>k0 * columnStrideA;
        let rowStep = rowStrideA;
        let step = columnStrideA;
        if (columnStrideA !== 4) {
          packRows(a0, rowStrideA, columnStrideA, packedA, depth, rows);
          a0 = packedA;
          rowStep = 4;
          step = ROWS * 4;
        }
        // Rows past the last one repeat it: their results never leave the scratch tile.
        const a1 = a0 + (rows > 1 ? rowStep : 0);
        const a2 = a1 + (rows > 2 ? rowStep : 0);
        const a3 = a2 + (rows > 3 ? rowStep : 0);
        const a4 = a3 + (rows > 4 ? rowStep : 0);
        const a5 = a4 + (rows > 5 ? rowStep : 0);
        let target = c + <usize>m0 * strideC + ((<usize>n0) << 2);
        let panel = packedB;
        for (let j = 0; j < width; j += COLUMNS) {
          const columns = min(COLUMNS, width - j);
          if (rows === ROWS && columns === COLUMNS) {
            tile(a0, a1, a2, a3, a4, a5, step, panel, target, strideC, depth, add);
          } else {
            if (add) copyEdge(target, strideC, edge, COLUMNS * 4, rows, columns);
            tile(a0, a1, a2, a3, a4, a5, step, panel, edge, COLUMNS * 4, depth, add);
            copyEdge(edge, COLUMNS * 4, target, strideC, rows, columns);
          }
          target += COLUMNS * 4;
          panel += <usize>depth * (COLUMNS * 4);
        }
      }
    }
  }
}

/**
 * C[m, n] = A[m, k] B[k, n] with B packed as panels of 8 columns and k rows each; n is a multiple of 8. A and C have
 * contiguous rows. `edge` holds {@link gemmScratchBytes} bytes for no column.
 */
export function multiplyPacked(
  a: usize,
  strideA: usize,
  packedB: usize,
  c: usize,
  strideC: usize,
  m: i32,
  n: i32,
  k: i32,
  edge: usize,
): void {
  for (let m0 = 0; m0 < m; m0 += ROWS) {
    const rows = min(ROWS, m - m0);
    const a0 = a + <usize>m0 * strideA;
    const a1 = a0 + (rows > 1 ? strideA : 0);
    const a2 = a1 + (rows > 2 ? strideA : 0);
    const a3 = a2 + (rows > 3 ? strideA : 0);
    const a4 = a3 + (rows > 4 ? strideA : 0);
    const a5 = a4 + (rows > 5 ? strideA : 0);
    let target = c + <usize>m0 * strideC;
    let panel = packedB;
    for (let j = 0; j < n; j += COLUMNS) {
      if (rows === ROWS) {
        tile(a0, a1, a2, a3, a4, a5, 4, panel, target, strideC, k, false);
      } else {
        tile(a0, a1, a2, a3, a4, a5, 4, panel, edge, COLUMNS * 4, k, false);
        copyEdge(edge, COLUMNS * 4, target, strideC, rows, COLUMNS);
      }
      target += COLUMNS * 4;
      panel += <usize>k * (COLUMNS * 4);
    }
  }
}
