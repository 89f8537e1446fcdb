import { bytes, horizontalSum } from './simd';

/** Rows summed before they join the total: bounds the rounding error and keeps the block in the first-level cache. */
const BLOCK_ROWS = 64;

/** Adds the column sums of x[rows, columns] to `out`; 16 columns at a time in registers. */
function addColumnSums(x: usize, out: usize, rows: i32, columns: i32): void {
  const stride = bytes(columns);
  let column = 0;
  for (; column + 16 <= columns; column += 16) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let from = x + bytes(column);
    for (let row = 0; row < rows; row++) {
      s0 = f32x4.add(s0, v128.load(from));
      s1 = f32x4.add(s1, v128.load(from, 16));
      s2 = f32x4.add(s2, v128.load(from, 32));
      s3 = f32x4.add(s3, v128.load(from, 48));
      from += stride;
    }
    const to = out + bytes(column);
    v128.store(to, f32x4.add(v128.load(to), s0));
    v128.store(to, f32x4.add(v128.load(to, 16), s1), 16);
    v128.store(to, f32x4.add(v128.load(to, 32), s2), 32);
    v128.store(to, f32x4.add(v128.load(to, 48), s3), 48);
  }
  for (; column + 4 <= columns; column += 4) {
    let sum = f32x4.splat(0);
    let from = x + bytes(column);
    for (let row = 0; row < rows; row++) {
      sum = f32x4.add(sum, v128.load(from));
      from += stride;
    }
    const to = out + bytes(column);
    v128.store(to, f32x4.add(v128.load(to), sum));
  }
  for (; column < columns; column++) {
    let sum: f32 = 0;
    let from = x + bytes(column);
    for (let row = 0; row < rows; row++) {
      sum += load<f32>(from);
      from += stride;
    }
    const to = out + bytes(column);
    store<f32>(to, load<f32>(to) + sum);
  }
}

/** Sum of `count` contiguous values, in blocks. */
function sumContiguous(x: usize, count: i32): f32 {
  let total: f32 = 0;
  for (let first = 0; first < count; first += 1024) {
    const end = min(count, first + 1024);
    let lanes = f32x4.splat(0);
    let i = first;
    for (; i + 4 <= end; i += 4) {
      lanes = f32x4.add(lanes, v128.load(x));
      x += 16;
    }
    let block = horizontalSum(lanes);
    for (; i < end; i++) {
      block += load<f32>(x);
      x += 4;
    }
    total += block;
  }
  return total;
}

/** out[outer, inner] = factor * sum over the middle axis of x[outer, reduced, inner]. */
export function reduceMiddle(x: usize, out: usize, outer: i32, reduced: i32, inner: i32, factor: f32): void {
  for (let o = 0; o < outer; o++) {
    if (inner === 1) {
      store<f32>(out, sumContiguous(x, reduced) * factor);
      out += 4;
      x += bytes(reduced);
      continue;
    }
    memory.fill(out, 0, bytes(inner));
    for (let row = 0; row < reduced; row += BLOCK_ROWS) {
      const rows = min(BLOCK_ROWS, reduced - row);
      addColumnSums(x, out, rows, inner);
      x += bytes(rows * inner);
    }
    if (factor !== 1) {
      for (let i = 0; i < inner; i++) store<f32>(out + bytes(i), load<f32>(out + bytes(i)) * factor);
    }
    out += bytes(inner);
  }
}

/** Sum of squares of `count` values, the total in double precision. */
export function sumOfSquares(x: usize, count: i32): f64 {
  let total: f64 = 0;
  for (let first = 0; first < count; first += 256) {
    const end = min(count, first + 256);
    let lanes = f32x4.splat(0);
    let i = first;
    for (; i + 4 <= end; i += 4) {
      const v = v128.load(x);
      lanes = f32x4.add(lanes, f32x4.mul(v, v));
      x += 16;
    }
    let block = horizontalSum(lanes);
    for (; i < end; i++) {
      const v = load<f32>(x);
      block += v * v;
      x += 4;
    }
    total += <f64>block;
  }
  return total;
}
