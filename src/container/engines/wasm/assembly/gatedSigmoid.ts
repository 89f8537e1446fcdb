import { bytes, exp, exp4, madd } from './simd';

// x * sigmoid(linear * x + cubic * x^3): SiLU with 1 and 0; GELU's tanh form with 2 sqrt(2 / pi) and 0.044715 times that,
// since (1 + tanh(u)) / 2 = sigmoid(2 u).

/** Where the sigmoid is 0 or 1 anyway; powers beyond would overflow. */
const LARGEST: f32 = 1000;

function clamp4(x: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, f32x4.splat(LARGEST)), f32x4.splat(-LARGEST));
}

function clamp1(x: f32): f32 {
  return max<f32>(min<f32>(x, LARGEST), -LARGEST);
}

function sigmoid4(z: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exp4(f32x4.neg(z))));
}

function sigmoid1(z: f32): f32 {
  return 1 / (1 + exp(-z));
}

/** y = x * sigmoid(linear * x + cubic * x^3). */
export function gatedSigmoid(x: usize, y: usize, count: i32, linear: f32, cubic: f32): void {
  const a = f32x4.splat(linear);
  const b = f32x4.splat(cubic);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const v = v128.load(x + bytes(i));
    const u = clamp4(v);
    const z = f32x4.mul(u, madd(b, f32x4.mul(u, u), a));
    v128.store(y + bytes(i), f32x4.mul(v, sigmoid4(z)));
  }
  for (; i < count; i++) {
    const v = load<f32>(x + bytes(i));
    const u = clamp1(v);
    store<f32>(y + bytes(i), v * sigmoid1(u * (linear + cubic * u * u)));
  }
}

/** dx = dy * (s + x * s * (1 - s) * (linear + 3 * cubic * x^2)), s being the sigmoid. */
export function gatedSigmoidGradient(
  x: usize,
  dy: usize,
  dx: usize,
  count: i32,
  linear: f32,
  cubic: f32,
): void {
  const one = f32x4.splat(1);
  const a = f32x4.splat(linear);
  const b = f32x4.splat(cubic);
  const b3 = f32x4.splat(3 * cubic);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const v = clamp4(v128.load(x + bytes(i)));
    const square = f32x4.mul(v, v);
    const s = sigmoid4(f32x4.mul(v, madd(b, square, a)));
    const inner = f32x4.mul(f32x4.mul(v, f32x4.sub(one, s)), madd(b3, square, a));
    v128.store(dx + bytes(i), f32x4.mul(v128.load(dy + bytes(i)), madd(s, inner, s)));
  }
  for (; i < count; i++) {
    const v = clamp1(load<f32>(x + bytes(i)));
    const s = sigmoid1(v * (linear + cubic * v * v));
    const inner = v * (1 - s) * (linear + 3 * cubic * v * v);
    store<f32>(dx + bytes(i), load<f32>(dy + bytes(i)) * (s + s * inner));
  }
}
