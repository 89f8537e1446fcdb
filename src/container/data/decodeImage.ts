import { join } from 'node:path';
import startJpeg from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import startWebp from '@jsquash/webp/codec/dec/webp_dec.js';
import { readImageHeader } from './imageHeader';
import { decodePng } from './pngDecode';
import { WasmCodec } from './wasmCodec';

/** Pixels in RGBA order, 8 bits each, not premultiplied: shape [height, width, 4]. */
export type DecodedImage = {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
};

/** Decodes the bytes of one image file; rejects with a `DataError` if they are no whole image. */
export type Decode = (bytes: Uint8Array) => Promise<DecodedImage>;

/** The JPEG decoder turns an image as its EXIF orientation says. */
const preserveOrientation = true;

/**
 * A decoder of JPEG (its EXIF orientation applied), PNG and WebP, told apart by their first bytes. Codecs are loaded
 * at their first image.
 *
 * @param wasmDir the folder with `mozjpeg_dec.wasm` and `webp_dec.wasm`
 */
export function createDecoder(wasmDir: string): Decode {
  const jpeg = new WasmCodec('jpeg', startJpeg, join(wasmDir, 'mozjpeg_dec.wasm'), [preserveOrientation]);
  const webp = new WasmCodec('webp', startWebp, join(wasmDir, 'webp_dec.wasm'));
  return async (bytes) => {
    const { format } = readImageHeader(bytes);
    switch (format) {
      case 'png':
        return decodePng(bytes);
      case 'jpeg':
        return jpeg.decode(bytes);
      case 'webp':
        return webp.decode(bytes);
    }
  };
}
