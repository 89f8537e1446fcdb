import { DataError } from './dataError';

export type ImageFormat = 'jpeg' | 'png' | 'webp';

/** What the first bytes of an image say about it. */
export type ImageHeader = { readonly format: ImageFormat; readonly width: number; readonly height: number };

/** Pixels of the largest image decoded: 400 MB as RGBA. Cameras' largest images have about as many. */
export const maxPixels = 100_000_000;

/** A {@link DataError} for an image that is damaged or cut off. */
export function corruptImage(detail: string, cause?: unknown): DataError {
  return new DataError('corrupt-image', `corrupt image: ${detail}`, { cause });
}

/**
 * Reads format and size from an image's bytes; the file's name plays no part.
 *
 * @throws {DataError} `corrupt-image`, `unsupported-image` or `image-too-large`
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  if (bytes.length === 0) throw corruptImage('the file is empty');
  const header = readSize(bytes);
  if (header.width === 0 || header.height === 0) throw corruptImage('its width or height is 0');
  if (header.width * header.height > maxPixels) {
    throw new DataError(
      'image-too-large',
      `image of ${header.width} x ${header.height} pixels is larger than ${maxPixels / 1e6} megapixels`,
    );
  }
  return header;
}

function readSize(bytes: Uint8Array): ImageHeader {
  const start = String.fromCharCode(...bytes.subarray(0, 12));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (start.startsWith('\xff\xd8')) return { format: 'jpeg', ...jpegSize(view) };
    if (start.startsWith('\x89PNG\r\n\x1a\n')) {
      return { format: 'png', width: view.getUint32(16), height: view.getUint32(20) };
    }
    if (start.startsWith('RIFF') && start.endsWith('WEBP')) return { format: 'webp', ...webpSize(view) };
  } catch (error) {
    if (error instanceof RangeError) throw corruptImage('the file ends within its header', error);
    throw error;
  }
  throw new DataError('unsupported-image', 'neither a JPEG, a PNG nor a WebP image, whatever its name says');
}

type Size = { width: number; height: number };

/** Walks the marker segments to the start of frame (ITU-T T.81, B.2). */
function jpegSize(view: DataView): Size {
  for (let at = 2; ;) {
    if (view.getUint8(at) !== 0xff) throw corruptImage('a JPEG marker is missing');
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === 0xda || marker === 0xd9) throw corruptImage('a JPEG without a frame');
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) {
      if (view.getUint8(at + 9) === 4) {
        throw new DataError('unsupported-image', 'a CMYK JPEG; convert it to RGB');
      }
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
    at += 2 + view.getUint16(at + 2);
  }
}

/** The three kinds of WebP: lossy, lossless, extended (RFC 9649). */
function webpSize(view: DataView): Size {
  if (8 + view.getUint32(4, true) > view.byteLength) throw corruptImage('the file is cut off');
  switch (tag(view, 12)) {
    case 'VP8 ':
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    case 'VP8L': {
      const bits = view.getUint32(21, true);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      if ((view.getUint8(20) & 2) !== 0) {
        throw new DataError('unsupported-image', 'an animated WebP; save one frame of it');
      }
      return { width: uint24(view, 24) + 1, height: uint24(view, 27) + 1 };
    default:
      throw corruptImage('a WebP without an image');
  }
}

function tag(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}

function uint24(view: DataView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}
