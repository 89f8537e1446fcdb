/** a * b + c in four lanes: one rounding with relaxed SIMD on a machine with FMA, otherwise two. */
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Sum of four lanes, always in the same order. */
export function horizontalSum(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) +
    f32x4.extract_lane(v, 1) +
    (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
  );
}

/** Bytes of `count` float32 values. */
export function bytes(count: i32): usize {
  return (<usize>count) << 2;
}

/**
 * e^x of one value within 2 ulp for x in [-87, 88], clamped outside; NaN stays NaN.
 * Cephes' expf; the standard library's version needs a table in static memory.
 */
export function exp(x: f32): f32 {
  x = max<f32>(min<f32>(x, 88), -87);
  const n = nearest<f32>(x * 1.44269504);
  const r = x - n * 0.693359375 + n * 2.1219444e-4;
  let p: f32 = 1.98756915e-4;
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  p = p * r * r + r + 1;
  return p * reinterpret<f32>((<i32>n + 127) << 23);
}

/** Natural logarithm of a positive, normal value to about 1e-11, by the series of artanh; no table either. */
export function log(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  let exponent = <i32>((bits >> 52) & 0x7ff) - 1023;
  let mantissa = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (mantissa > 1.4142135623730951) {
    mantissa *= 0.5;
    exponent++;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const q = s * s;
  const series = 1 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q * (1.0 / 9 + q * (1.0 / 11)))));
  return <f64>exponent * 0.6931471805599453 + 2 * s * series;
}

/** Added to a value below 2^22, it leaves the nearest integer in the low bits. */
const ROUNDER: f32 = 12582912;

/** {@link exp} in four lanes. */
export function exp4(x: v128): v128 {
  // These two pass a NaN in their first argument on.
  x = f32x4.pmax(f32x4.pmin(x, f32x4.splat(88)), f32x4.splat(-87));
  const rounded = madd(x, f32x4.splat(1.44269504), f32x4.splat(ROUNDER));
  const n = f32x4.sub(rounded, f32x4.splat(ROUNDER));
  const r = madd(n, f32x4.splat(2.1219444e-4), madd(n, f32x4.splat(-0.693359375), x));
  let p = madd(f32x4.splat(1.98756915e-4), r, f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  p = f32x4.add(madd(f32x4.mul(p, r), r, r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.sub(rounded, f32x4.splat(ROUNDER)), i32x4.splat(127)), 23);
  return f32x4.mul(p, power);
}
