import { bytes, madd } from './simd';

// Depthwise convolution over NHWC images. The filter is [kernelHeight, kernelWidth, channels, multiplier]; the output
// has channels * multiplier channels, those of one input channel together.

/** Adds dy[c * multiplier + q] * filter[c, q] over q to dx[c], for all channels of one window position. */
function addInputGradient(dy: usize, filter: usize, dx: usize, channels: i32, multiplier: i32): void {
  let c = 0;
  if (multiplier === 1) {
    for (; c + 4 <= channels; c += 4) {
      const at = bytes(c);
      v128.store(dx + at, madd(v128.load(dy + at), v128.load(filter + at), v128.load(dx + at)));
    }
  }
  for (; c < channels; c++) {
    let sum = load<f32>(dx + bytes(c));
    for (let q = 0; q < multiplier; q++) {
      const at = bytes(c * multiplier + q);
      sum += load<f32>(dy + at) * load<f32>(filter + at);
    }
    store<f32>(dx + bytes(c), sum);
  }
}

/** Adds x[c] * dy[c * multiplier + q] to dFilter[c, q], for all channels of one window position. */
function addFilterGradient(dy: usize, x: usize, dFilter: usize, channels: i32, multiplier: i32): void {
  let c = 0;
  if (multiplier === 1) {
    for (; c + 4 <= channels; c += 4) {
      const at = bytes(c);
      v128.store(dFilter + at, madd(v128.load(dy + at), v128.load(x + at), v128.load(dFilter + at)));
    }
  }
  for (; c < channels; c++) {
    const value = load<f32>(x + bytes(c));
    for (let q = 0; q < multiplier; q++) {
      const at = bytes(c * multiplier + q);
      store<f32>(dFilter + at, load<f32>(dFilter + at) + value * load<f32>(dy + at));
    }
  }
}

/** Gradient with respect to the images; `dx` is overwritten. */
export function depthwiseInputGradient(
  dy: usize,
  filter: usize,
  dx: usize,
  images: i32,
  height: i32,
  width: i32,
  channels: i32,
  multiplier: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  dilationHeight: i32,
  dilationWidth: i32,
  padTop: i32,
  padLeft: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  const outBytes = bytes(channels * multiplier);
  memory.fill(dx, 0, bytes(images * height * width * channels));
  for (let image = 0; image < images; image++) {
    for (let outY = 0; outY < outHeight; outY++) {
      for (let outX = 0; outX < outWidth; outX++) {
        for (let ky = 0; ky < kernelHeight; ky++) {
          const y = outY * strideHeight - padTop + ky * dilationHeight;
          if (y < 0 || y >= height) continue;
          for (let kx = 0; kx < kernelWidth; kx++) {
            const x = outX * strideWidth - padLeft + kx * dilationWidth;
            if (x < 0 || x >= width) continue;
            const window = filter + <usize>(ky * kernelWidth + kx) * outBytes;
            const to = dx + bytes(((image * height + y) * width + x) * channels);
            addInputGradient(dy, window, to, channels, multiplier);
          }
        }
        dy += outBytes;
      }
    }
  }
}

/** Gradient with respect to the filter; `dFilter` is overwritten. */
export function depthwiseFilterGradient(
  dy: usize,
  images: usize,
  dFilter: usize,
  imageCount: i32,
  height: i32,
  width: i32,
  channels: i32,
  multiplier: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  dilationHeight: i32,
  dilationWidth: i32,
  padTop: i32,
  padLeft: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  const outBytes = bytes(channels * multiplier);
  memory.fill(dFilter, 0, <usize>(kernelHeight * kernelWidth) * outBytes);
  for (let image = 0; image < imageCount; image++) {
    for (let outY = 0; outY < outHeight; outY++) {
      for (let outX = 0; outX < outWidth; outX++) {
        for (let ky = 0; ky < kernelHeight; ky++) {
          const y = outY * strideHeight - padTop + ky * dilationHeight;
          if (y < 0 || y >= height) continue;
          for (let kx = 0; kx < kernelWidth; kx++) {
            const x = outX * strideWidth - padLeft + kx * dilationWidth;
            if (x < 0 || x >= width) continue;
            const window = dFilter + <usize>(ky * kernelWidth + kx) * outBytes;
            const from = images + bytes(((image * height + y) * width + x) * channels);
            addFilterGradient(dy, from, window, channels, multiplier);
          }
        }
        dy += outBytes;
      }
    }
  }
}
