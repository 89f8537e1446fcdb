import { bytes, exp, exp4, horizontalSum, madd } from './simd';

/** y = softmax(scale * x) for each of `rows` rows of `columns` values; scale is positive; y may be x. */
export function softmax(x: usize, y: usize, rows: i32, columns: i32, scale: f32): void {
  const scales = f32x4.splat(scale);
  for (let row = 0; row < rows; row++) {
    let largest = load<f32>(x);
    for (let i = 1; i < columns; i++) largest = max<f32>(largest, load<f32>(x + bytes(i)));
    const shift = f32x4.splat(largest);
    let lanes = f32x4.splat(0);
    let i = 0;
    for (; i + 4 <= columns; i += 4) {
      const e = exp4(f32x4.mul(f32x4.sub(v128.load(x + bytes(i)), shift), scales));
      v128.store(y + bytes(i), e);
      lanes = f32x4.add(lanes, e);
    }
    let sum = horizontalSum(lanes);
    for (; i < columns; i++) {
      const e = exp((load<f32>(x + bytes(i)) - largest) * scale);
      store<f32>(y + bytes(i), e);
      sum += e;
    }
    const inverse: f32 = 1 / sum;
    const inverses = f32x4.splat(inverse);
    i = 0;
    for (; i + 4 <= columns; i += 4) v128.store(y + bytes(i), f32x4.mul(v128.load(y + bytes(i)), inverses));
    for (; i < columns; i++) store<f32>(y + bytes(i), load<f32>(y + bytes(i)) * inverse);
    x += bytes(columns);
    y += bytes(columns);
  }
}

/** dx = scale * y * (dy - sum(y * dy)) row by row, y being the softmax; dx may be dy. */
export function softmaxGradient(y: usize, dy: usize, dx: usize, rows: i32, columns: i32, scale: f32): void {
  const scales = f32x4.splat(scale);
  for (let row = 0; row < rows; row++) {
    let lanes = f32x4.splat(0);
    let i = 0;
    for (; i + 4 <= columns; i += 4) lanes = madd(v128.load(y + bytes(i)), v128.load(dy + bytes(i)), lanes);
    let sum = horizontalSum(lanes);
    for (; i < columns; i++) sum += load<f32>(y + bytes(i)) * load<f32>(dy + bytes(i));
    const sums = f32x4.splat(sum);
    i = 0;
    for (; i + 4 <= columns; i += 4) {
      const d = f32x4.sub(v128.load(dy + bytes(i)), sums);
      v128.store(dx + bytes(i), f32x4.mul(f32x4.mul(scales, v128.load(y + bytes(i))), d));
    }
    for (; i < columns; i++) {
      store<f32>(dx + bytes(i), scale * load<f32>(y + bytes(i)) * (load<f32>(dy + bytes(i)) - sum));
    }
    y += bytes(columns);
    dy += bytes(columns);
    dx += bytes(columns);
  }
}
