import type { DitShape } from './network';

const CHANNELS = 3;

type Grid = Pick<DitShape, 'imageSize' | 'patchSize'>;

/** Images, NHWC, as rows of patches: [B, H, W, 3] -> [B, T, patchSize * patchSize * 3], patches row by row. */
export function toTokens(images: Float32Array, shape: Grid): Float32Array {
  const tokens = new Float32Array(images.length);
  copyRows(shape, images.length, (pixel, token, length) =>
    tokens.set(images.subarray(pixel, pixel + length), token),
  );
  return tokens;
}

/** The inverse of `toTokens`. */
export function toImages(tokens: Float32Array, shape: Grid): Float32Array {
  const images = new Float32Array(tokens.length);
  copyRows(shape, tokens.length, (pixel, token, length) =>
    images.set(tokens.subarray(token, token + length), pixel),
  );
  return images;
}

/** Calls `copy` with the places of each row of each patch, in an image and among the tokens. */
function copyRows(
  { imageSize, patchSize }: Grid,
  size: number,
  copy: (pixel: number, token: number, length: number) => void,
): void {
  const length = patchSize * CHANNELS;
  const rowLength = imageSize * CHANNELS;
  const imageLength = imageSize * rowLength;
  let token = 0;
  for (let image = 0; image < size; image += imageLength) {
    for (let top = 0; top < imageSize; top += patchSize) {
      for (let left = 0; left < imageSize; left += patchSize) {
        for (let row = top; row < top + patchSize; row += 1) {
          copy(image + row * rowLength + left * CHANNELS, token, length);
          token += length;
        }
      }
    }
  }
}
