import { bytes } from './simd';

// The column matrix of a convolution (NHWC): one row per output position, the window's values in the order of the
// filter [kernelHeight, kernelWidth, channels]. Rows are taken in ranges of image lines, `firstLine` counted over the
// whole batch (image * outHeight + line), so that the matrix never has to exist as a whole.

function copy(from: usize, to: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    v128.store(to, v128.load(from));
    from += 16;
    to += 16;
  }
  for (; i < count; i++) {
    store<f32>(to, load<f32>(from));
    from += 4;
    to += 4;
  }
}

function clear(to: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    v128.store(to, f32x4.splat(0));
    to += 16;
  }
  for (; i < count; i++) {
    store<f32>(to, 0);
    to += 4;
  }
}

function add(from: usize, to: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    from += 16;
    to += 16;
  }
  for (; i < count; i++) {
    store<f32>(to, load<f32>(to) + load<f32>(from));
    from += 4;
    to += 4;
  }
}

/** Gathers `lines` output lines of the column matrix from the images at `x`. */
export function im2col(
  x: usize,
  columns: usize,
  firstLine: i32,
  lines: i32,
  height: i32,
  width: i32,
  channels: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  const run = kernelWidth * channels;
  for (let line = firstLine; line < firstLine + lines; line++) {
    const image = line / outHeight;
    const top = (line - image * outHeight) * strideHeight - padTop;
    const imageRow = image * height;
    for (let outX = 0; outX < outWidth; outX++) {
      const left = outX * strideWidth - padLeft;
      const skipped = min(kernelWidth, max(0, -left));
      const end = max(skipped, min(kernelWidth, width - left));
      for (let ky = 0; ky < kernelHeight; ky++) {
        const y = top + ky;
        if (y < 0 || y >= height) {
          clear(columns, run);
        } else {
          const from = x + bytes(((imageRow + y) * width + left + skipped) * channels);
          if (skipped > 0) clear(columns, skipped * channels);
          copy(from, columns + bytes(skipped * channels), (end - skipped) * channels);
          if (end < kernelWidth) clear(columns + bytes(end * channels), (kernelWidth - end) * channels);
        }
        columns += bytes(run);
      }
    }
  }
}

/** Adds `lines` output lines of the column matrix back onto the images at `x`; the transpose of {@link im2col}. */
export function col2im(
  columns: usize,
  x: usize,
  firstLine: i32,
  lines: i32,
  height: i32,
  width: i32,
  channels: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
  outHeight: i32,
  outWidth: i32,
): void {
  const run = kernelWidth * channels;
  for (let line = firstLine; line < firstLine + lines; line++) {
    const image = line / outHeight;
    const top = (line - image * outHeight) * strideHeight - padTop;
    const imageRow = image * height;
    for (let outX = 0; outX < outWidth; outX++) {
      const left = outX * strideWidth - padLeft;
      const skipped = min(kernelWidth, max(0, -left));
      const end = max(skipped, min(kernelWidth, width - left));
      for (let ky = 0; ky < kernelHeight; ky++) {
        const y = top + ky;
        if (y >= 0 && y < height) {
          const to = x + bytes(((imageRow + y) * width + left + skipped) * channels);
          add(columns + bytes(skipped * channels), to, (end - skipped) * channels);
        }
        columns += bytes(run);
      }
    }
  }
}
