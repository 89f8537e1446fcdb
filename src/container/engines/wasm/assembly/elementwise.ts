/** dx = x > 0 ? dy : 0. */
export function reluGradient(x: usize, dy: usize, dx: usize, count: i32): void {
  let i = 0;
  const zero = f32x4.splat(0);
  for (; i + 4 <= count; i += 4) {
    v128.store(dx, v128.and(v128.load(dy), f32x4.gt(v128.load(x), zero)));
    x += 16;
    dy += 16;
    dx += 16;
  }
  for (; i < count; i++) {
    store<f32>(dx, load<f32>(x) > 0 ? load<f32>(dy) : 0);
    x += 4;
    dy += 4;
    dx += 4;
  }
}

/** y = factor * x. */
export function scale(x: usize, y: usize, count: i32, factor: f32): void {
  let i = 0;
  const f = f32x4.splat(factor);
  for (; i + 4 <= count; i += 4) {
    v128.store(y, f32x4.mul(v128.load(x), f));
    x += 16;
    y += 16;
  }
  for (; i < count; i++) {
    store<f32>(y, load<f32>(x) * factor);
    x += 4;
    y += 4;
  }
}

/** Writes zeros to `count` values. */
export function clear(x: usize, count: i32): void {
  memory.fill(x, 0, (<usize>count) << 2);
}
