import { bytes } from './simd';

/** out = the sum of `replicas` arrays of `count` values that lie `stride` bytes apart, always in the same order. */
export function sumReplicas(first: usize, stride: usize, replicas: i32, out: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    let sum = v128.load(first);
    for (let replica = 1; replica < replicas; replica++) {
      sum = f32x4.add(sum, v128.load(first + <usize>replica * stride));
    }
    v128.store(out, sum);
    first += 16;
    out += 16;
  }
  for (; i < count; i++) {
    let sum = load<f32>(first);
    for (let replica = 1; replica < replicas; replica++) sum += load<f32>(first + <usize>replica * stride);
    store<f32>(out, sum);
    first += 4;
    out += 4;
  }
}

/** average = average * decay + values * (1 - decay). */
export function movingAverage(average: usize, values: usize, count: i32, decay: f32): void {
  const rest: f32 = 1 - decay;
  const decays = f32x4.splat(decay);
  const rests = f32x4.splat(rest);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const at = bytes(i);
    const old = f32x4.mul(v128.load(average + at), decays);
    v128.store(average + at, f32x4.add(old, f32x4.mul(v128.load(values + at), rests)));
  }
  for (; i < count; i++) {
    const at = bytes(i);
    store<f32>(average + at, load<f32>(average + at) * decay + load<f32>(values + at) * rest);
  }
}
