import { bytes } from './simd';

/** Adds dy to dx where x is y and no earlier place of the window was taken; `taken` marks those that were. */
function give(x: usize, y: usize, dy: usize, dx: usize, taken: usize, channels: i32): void {
  let c = 0;
  for (; c + 4 <= channels; c += 4) {
    const at = bytes(c);
    const before = v128.load(taken + at);
    const here = v128.andnot(f32x4.eq(v128.load(x + at), v128.load(y + at)), before);
    v128.store(dx + at, f32x4.add(v128.load(dx + at), v128.and(here, v128.load(dy + at))));
    v128.store(taken + at, v128.or(before, here));
  }
  for (; c < channels; c++) {
    const at = bytes(c);
    if (load<i32>(taken + at) === 0 && load<f32>(x + at) === load<f32>(y + at)) {
      store<f32>(dx + at, load<f32>(dx + at) + load<f32>(dy + at));
      store<i32>(taken + at, -1);
    }
  }
}

/**
 * Gradient of a maximum pool over NHWC images: dy goes to the first place of its window that holds the maximum y. `dx` is
 * overwritten; `scratch` holds one value for each channel.
 */
export function maxPoolGradient(
  x: usize,
  y: usize,
  dy: usize,
  dx: usize,
  scratch: usize,
  images: i32,
  height: i32,
  width: i32,
  channels: i32,
  windowHeight: i32,
  windowWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  const row = bytes(channels);
  memory.fill(dx, 0, bytes(images * height * width * channels));
  for (let image = 0; image < images; image++) {
    for (let outY = 0; outY < outHeight; outY++) {
      for (let outX = 0; outX < outWidth; outX++) {
        memory.fill(scratch, 0, row);
        for (let ky = 0; ky < windowHeight; ky++) {
          const placeY = outY * strideHeight - padTop + ky;
          if (placeY < 0 || placeY >= height) continue;
          for (let kx = 0; kx < windowWidth; kx++) {
            const placeX = outX * strideWidth - padLeft + kx;
            if (placeX < 0 || placeX >= width) continue;
            const at = <usize>((image * height + placeY) * width + placeX) * row;
            give(x + at, y, dy, dx + at, scratch, channels);
          }
        }
        y += row;
        dy += row;
      }
    }
  }
}
