import { bytes } from './simd';

/** out[segments, n] = for each segment the sum of the rows of x[rows, n] whose id it is; ids out of range are left out. */
export function segmentSum(x: usize, ids: usize, out: usize, rows: i32, n: i32, segments: i32): void {
  memory.fill(out, 0, bytes(segments * n));
  for (let row = 0; row < rows; row++) {
    const id = load<i32>(ids + bytes(row));
    if (id >= 0 && id < segments) {
      const to = out + bytes(id * n);
      let i = 0;
      for (; i + 4 <= n; i += 4) {
        const at = bytes(i);
        v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(x + at)));
      }
      for (; i < n; i++) store<f32>(to + bytes(i), load<f32>(to + bytes(i)) + load<f32>(x + bytes(i)));
    }
    x += bytes(n);
  }
}

/** out[outer, times * inner] = each of the `outer` runs of `inner` values of 4 bytes, `times` times. */
export function repeat(x: usize, out: usize, outer: i32, inner: i32, times: i32): void {
  const run = bytes(inner);
  for (let o = 0; o < outer; o++) {
    for (let time = 0; time < times; time++) {
      memory.copy(out, x, run);
      out += run;
    }
    x += run;
  }
}
