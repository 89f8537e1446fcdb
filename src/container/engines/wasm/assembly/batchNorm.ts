import { bytes, madd } from './simd';

/** Rows summed before they join the totals: bounds the rounding error and keeps the block in the first-level cache. */
const BLOCK_ROWS = 64;

/** Adds sum(x - shift) and sum((x - shift)^2) of a block of rows to the totals of each channel. */
function addShiftedMoments(
  x: usize,
  shift: usize,
  sums: usize,
  squares: usize,
  rows: i32,
  channels: i32,
): void {
  const stride = bytes(channels);
  let c = 0;
  for (; c + 8 <= channels; c += 8) {
    const at = bytes(c);
    const shift0 = v128.load(shift + at);
    const shift1 = v128.load(shift + at, 16);
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let q0 = s0;
    let q1 = s0;
    let from = x + at;
    for (let row = 0; row < rows; row++) {
      const d0 = f32x4.sub(v128.load(from), shift0);
      const d1 = f32x4.sub(v128.load(from, 16), shift1);
      s0 = f32x4.add(s0, d0);
      s1 = f32x4.add(s1, d1);
      q0 = madd(d0, d0, q0);
      q1 = madd(d1, d1, q1);
      from += stride;
    }
    v128.store(sums + at, f32x4.add(v128.load(sums + at), s0));
    v128.store(sums + at, f32x4.add(v128.load(sums + at, 16), s1), 16);
    v128.store(squares + at, f32x4.add(v128.load(squares + at), q0));
    v128.store(squares + at, f32x4.add(v128.load(squares + at, 16), q1), 16);
  }
  for (; c < channels; c++) {
    const at = bytes(c);
    const offset = load<f32>(shift + at);
    let s: f32 = 0;
    let q: f32 = 0;
    let from = x + at;
    for (let row = 0; row < rows; row++) {
      const d = load<f32>(from) - offset;
      s += d;
      q += d * d;
      from += stride;
    }
    store<f32>(sums + at, load<f32>(sums + at) + s);
    store<f32>(squares + at, load<f32>(squares + at) + q);
  }
}

/** y = (x - mean) * factor + offset over x[rows, channels]. */
function normalize(
  x: usize,
  y: usize,
  mean: usize,
  factor: usize,
  offset: usize,
  rows: i32,
  channels: i32,
): void {
  for (let row = 0; row < rows; row++) {
    let c = 0;
    for (; c + 4 <= channels; c += 4) {
      const at = bytes(c);
      const d = f32x4.sub(v128.load(x), v128.load(mean + at));
      v128.store(y, madd(d, v128.load(factor + at), v128.load(offset + at)));
      x += 16;
      y += 16;
    }
    for (; c < channels; c++) {
      const at = bytes(c);
      store<f32>(y, (load<f32>(x) - load<f32>(mean + at)) * load<f32>(factor + at) + load<f32>(offset + at));
      x += 4;
      y += 4;
    }
  }
}

/**
 * Mean and biased variance of each channel of x[rows, channels], rows > 0. `scratch` holds 2 * channels values.
 * One pass finds both moments about the first row, which avoids the cancellation of E[x^2] - E[x]^2.
 */
export function batchNormMoments(
  x: usize,
  mean: usize,
  variance: usize,
  scratch: usize,
  rows: i32,
  channels: i32,
): void {
  const sums = scratch;
  const squares = sums + bytes(channels);
  memory.fill(scratch, 0, bytes(2 * channels));
  for (let row = 0; row < rows; row += BLOCK_ROWS) {
    addShiftedMoments(x + bytes(row * channels), x, sums, squares, min(BLOCK_ROWS, rows - row), channels);
  }
  const inverse: f32 = 1 / <f32>rows;
  for (let c = 0; c < channels; c++) {
    const at = bytes(c);
    const shifted = load<f32>(sums + at) * inverse;
    store<f32>(mean + at, load<f32>(x + at) + shifted);
    store<f32>(variance + at, max<f32>(0, load<f32>(squares + at) * inverse - shifted * shifted));
  }
}

/** Adds sum(dy) and sum(dy * (x - mean)) of a block of rows to the totals of each channel. */
function addGradientSums(
  dy: usize,
  x: usize,
  mean: usize,
  sums: usize,
  products: usize,
  rows: i32,
  channels: i32,
): void {
  const stride = bytes(channels);
  let c = 0;
  for (; c + 8 <= channels; c += 8) {
    const at = bytes(c);
    const mean0 = v128.load(mean + at);
    const mean1 = v128.load(mean + at, 16);
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let p0 = s0;
    let p1 = s0;
    let offset = at;
    for (let row = 0; row < rows; row++) {
      const g0 = v128.load(dy + offset);
      const g1 = v128.load(dy + offset, 16);
      s0 = f32x4.add(s0, g0);
      s1 = f32x4.add(s1, g1);
      p0 = madd(g0, f32x4.sub(v128.load(x + offset), mean0), p0);
      p1 = madd(g1, f32x4.sub(v128.load(x + offset, 16), mean1), p1);
      offset += stride;
    }
    v128.store(sums + at, f32x4.add(v128.load(sums + at), s0));
    v128.store(sums + at, f32x4.add(v128.load(sums + at, 16), s1), 16);
    v128.store(products + at, f32x4.add(v128.load(products + at), p0));
    v128.store(products + at, f32x4.add(v128.load(products + at, 16), p1), 16);
  }
  for (; c < channels; c++) {
    const at = bytes(c);
    const m = load<f32>(mean + at);
    let s: f32 = 0;
    let p: f32 = 0;
    let offset = at;
    for (let row = 0; row < rows; row++) {
      const g = load<f32>(dy + offset);
      s += g;
      p += g * (load<f32>(x + offset) - m);
      offset += stride;
    }
    store<f32>(sums + at, load<f32>(sums + at) + s);
    store<f32>(products + at, load<f32>(products + at) + p);
  }
}

/** For each channel of dy[rows, channels]: `sums` = sum(dy), `products` = sum(dy * (x - mean)). */
export function batchNormGradientSums(
  dy: usize,
  x: usize,
  mean: usize,
  sums: usize,
  products: usize,
  rows: i32,
  channels: i32,
): void {
  memory.fill(sums, 0, bytes(channels));
  memory.fill(products, 0, bytes(channels));
  for (let row = 0; row < rows; row += BLOCK_ROWS) {
    const at = bytes(row * channels);
    addGradientSums(dy + at, x + at, mean, sums, products, min(BLOCK_ROWS, rows - row), channels);
  }
}

/**
 * Gradient of training-mode batch normalization with respect to x. `sums` and `products` are those of
 * {@link batchNormGradientSums}, over all replicas' rows, `count` of them; `scratch` holds 3 * channels values.
 * dx = gamma r (dy - sum(dy)/n - xhat sum(dy xhat)/n) is evaluated as (x - mean) a + dy b + c with one triple per channel.
 */
export function batchNormInputGradient(
  dy: usize,
  x: usize,
  gamma: usize,
  mean: usize,
  variance: usize,
  sums: usize,
  products: usize,
  dx: usize,
  scratch: usize,
  rows: i32,
  count: i32,
  channels: i32,
  epsilon: f32,
): void {
  const a = scratch;
  const b = a + bytes(channels);
  const constant = b + bytes(channels);
  const inverse: f32 = 1 / <f32>count;
  for (let c = 0; c < channels; c++) {
    const at = bytes(c);
    const r: f32 = 1 / sqrt<f32>(load<f32>(variance + at) + epsilon);
    const slope = load<f32>(gamma + at) * r;
    store<f32>(a + at, -slope * r * r * load<f32>(products + at) * inverse);
    store<f32>(b + at, slope);
    store<f32>(constant + at, -slope * load<f32>(sums + at) * inverse);
  }
  for (let row = 0; row < rows; row++) {
    let c = 0;
    for (; c + 4 <= channels; c += 4) {
      const at = bytes(c);
      const d = f32x4.sub(v128.load(x), v128.load(mean + at));
      const linear = madd(d, v128.load(a + at), v128.load(constant + at));
      v128.store(dx, madd(v128.load(dy), v128.load(b + at), linear));
      x += 16;
      dy += 16;
      dx += 16;
    }
    for (; c < channels; c++) {
      const at = bytes(c);
      const linear = (load<f32>(x) - load<f32>(mean + at)) * load<f32>(a + at) + load<f32>(constant + at);
      store<f32>(dx, load<f32>(dy) * load<f32>(b + at) + linear);
      x += 4;
      dy += 4;
      dx += 4;
    }
  }
}

/**
 * Batch normalization with given statistics. `gamma` or `beta` of 0 (no address) means ones or zeros.
 * `scratch` holds 2 * channels values.
 */
export function batchNormApply(
  x: usize,
  gamma: usize,
  beta: usize,
  mean: usize,
  variance: usize,
  y: usize,
  scratch: usize,
  rows: i32,
  channels: i32,
  epsilon: f32,
): void {
  const factor = scratch;
  const offset = factor + bytes(channels);
  for (let c = 0; c < channels; c++) {
    const at = bytes(c);
    const g: f32 = gamma ? load<f32>(gamma + at) : 1;
    store<f32>(factor + at, g / sqrt<f32>(load<f32>(variance + at) + epsilon));
    store<f32>(offset + at, beta ? load<f32>(beta + at) : 0);
  }
  normalize(x, y, mean, factor, offset, rows, channels);
}
