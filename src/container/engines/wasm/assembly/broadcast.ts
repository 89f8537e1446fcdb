import { bytes } from './simd';

const ADD = 0;
const SUBTRACT = 1;

function apply4(operation: i32, a: v128, b: v128): v128 {
  if (operation === ADD) return f32x4.add(a, b);
  if (operation === SUBTRACT) return f32x4.sub(a, b);
  return f32x4.mul(a, b);
}

function apply1(operation: i32, a: f32, b: f32): f32 {
  if (operation === ADD) return a + b;
  if (operation === SUBTRACT) return a - b;
  return a * b;
}

/** One row of `count` values each. */
function rows(operation: i32, a: usize, b: usize, out: usize, count: i32): void {
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const at = bytes(i);
    v128.store(out + at, apply4(operation, v128.load(a + at), v128.load(b + at)));
    v128.store(out + at, apply4(operation, v128.load(a + at, 16), v128.load(b + at, 16)), 16);
  }
  for (; i < count; i++) {
    const at = bytes(i);
    store<f32>(out + at, apply1(operation, load<f32>(a + at), load<f32>(b + at)));
  }
}

/** A row of `count` values and one value. */
function rowAndValue(operation: i32, a: usize, b: f32, out: usize, count: i32): void {
  const lanes = f32x4.splat(b);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const at = bytes(i);
    v128.store(out + at, apply4(operation, v128.load(a + at), lanes));
  }
  for (; i < count; i++) {
    const at = bytes(i);
    store<f32>(out + at, apply1(operation, load<f32>(a + at), b));
  }
}

function all(
  operation: i32,
  a: usize,
  b: usize,
  stepB: usize,
  out: usize,
  outer: i32,
  middle: i32,
  inner: i32,
): void {
  for (let o = 0; o < outer; o++) {
    if (inner === 1) {
      rowAndValue(operation, a, load<f32>(b), out, middle);
      a += bytes(middle);
      out += bytes(middle);
    } else {
      for (let m = 0; m < middle; m++) {
        rows(operation, a, b, out, inner);
        a += bytes(inner);
        out += bytes(inner);
      }
    }
    b += stepB;
  }
}

/**
 * out[outer, middle, inner] = a[outer, middle, inner] + b[outer, inner], or - or * (operation 0, 1, 2). Rows of b lie
 * `stepB` bytes apart; 0 uses the one row for all.
 */
export function broadcast(
  operation: i32,
  a: usize,
  b: usize,
  stepB: usize,
  out: usize,
  outer: i32,
  middle: i32,
  inner: i32,
): void {
  if (operation === ADD) all(ADD, a, b, stepB, out, outer, middle, inner);
  else if (operation === SUBTRACT) all(SUBTRACT, a, b, stepB, out, outer, middle, inner);
  else all(2, a, b, stepB, out, outer, middle, inner);
}
