import { encodePng } from '../../data/pngEncode';

const CHANNELS = 3;
/** Pixels between two images. */
const GAP = 2;

/**
 * Images side by side as a PNG, row by row, on white.
 * @param images NHWC [N, side, side, 3], -1 black and 1 white; beyond is cut off
 * @param columns images in a row
 */
export function gridPng(images: Float32Array, side: number, columns: number): Buffer {
  const imageLength = side * side * CHANNELS;
  const count = images.length / imageLength;
  const rows = Math.ceil(count / columns);
  const pitch = side + GAP;
  const width = columns * pitch + GAP;
  const height = rows * pitch + GAP;
  const rgb = new Uint8Array(width * height * CHANNELS).fill(255);
  for (let image = 0; image < count; image += 1) {
    const left = GAP + (image % columns) * pitch;
    const top = GAP + Math.floor(image / columns) * pitch;
    for (let y = 0; y < side; y += 1) {
      const from = image * imageLength + y * side * CHANNELS;
      const row = images.subarray(from, from + side * CHANNELS);
      const bytes = Uint8Array.from(row, (value) =>
        Math.min(255, Math.max(0, Math.round((value + 1) * 127.5))),
      );
      rgb.set(bytes, ((top + y) * width + left) * CHANNELS);
    }
  }
  return encodePng(width, height, rgb);
}
