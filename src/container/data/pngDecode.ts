import { inflateSync } from 'node:zlib';
import type { DecodedImage } from './decodeImage';
import { corruptImage } from './imageHeader';
import { crc32 } from './pngFormat';

/** Samples per pixel by colour type: grey, RGB, palette, grey and alpha, RGBA. */
const samplesOfType: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const depthsOfType: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
/** Adam7's passes: first column and row, column and row step. */
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const whole = [[0, 0, 1, 1]] as const;

type Chunks = {
  header: Uint8Array;
  palette: Uint8Array | undefined;
  transparency: Uint8Array | undefined;
  data: Uint8Array[];
};

/**
 * Decodes any PNG (W3C PNG, third edition) to 8-bit RGBA; of an animated one, its still image. Node's own zlib does
 * the work. A wasm decoder would be slower for small images, and one that traps cannot be trusted with the next image.
 *
 * @throws {DataError} `corrupt-image` for anything cut off, damaged or against the standard
 */
export function decodePng(bytes: Uint8Array): DecodedImage {
  const chunks = readChunks(bytes);
  const view = new DataView(chunks.header.buffer, chunks.header.byteOffset, chunks.header.byteLength);
  if (chunks.header.length !== 13) throw corruptImage('a PNG header of the wrong length');
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, type, interlace] = [view.getUint8(8), view.getUint8(9), view.getUint8(12)];
  const samples = samplesOfType[type];
  if (samples === undefined || !depthsOfType[type]?.includes(depth) || interlace > 1) {
    throw corruptImage('a PNG of an unknown kind');
  }
  const passes = (interlace === 1 ? adam7 : whole)
    .map(([x0, y0, dx, dy]) => {
      const columns = Math.ceil((width - x0) / dx);
      const rows = Math.ceil((height - y0) / dy);
      return { x0, y0, dx, dy, columns, rows, rowBytes: Math.ceil((columns * samples * depth) / 8) };
    })
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
  const expectedBytes = passes.reduce((sum, { rows, rowBytes }) => sum + rows * (rowBytes + 1), 0);
  const raw = inflate(chunks.data, expectedBytes);

  const out = new Uint8ClampedArray(width * height * 4);
  const colour = pixelWriter(type, depth, chunks, out);
  const bytesPerPixel = Math.max(1, (samples * depth) >> 3);
  let at = 0;
  for (const { x0, y0, dx, dy, columns, rows, rowBytes } of passes) {
    let above: Uint8Array = new Uint8Array(rowBytes);
    for (let row = 0; row < rows; row++) {
      const line = raw.subarray(at + 1, at + 1 + rowBytes);
      unfilter(raw[at] ?? 0, line, above, bytesPerPixel);
      colour(line, columns, ((y0 + row * dy) * width + x0) * 4, dx * 4);
      above = line;
      at += rowBytes + 1;
    }
  }
  return { width, height, data: out };
}

function readChunks(bytes: Uint8Array): Chunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunks = { header: new Uint8Array(0), palette: undefined, transparency: undefined, data: [] };
  for (let at = 8; ;) {
    if (at + 12 > bytes.length) throw corruptImage('the file is cut off');
    const end = at + 12 + view.getUint32(at);
    if (end > bytes.length) throw corruptImage('the file is cut off');
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const data = bytes.subarray(at + 8, end - 4);
    // Ancillary chunks (lower case) cannot change the pixels, apart from tRNS.
    const matters = (bytes[at + 4] ?? 0) < 0x60 || type === 'tRNS';
    if (matters && crc32(bytes.subarray(at + 4, end - 4)) !== view.getUint32(end - 4)) {
      throw corruptImage(`the checksum of its ${/^\w+$/.test(type) ? type : 'next'} chunk is wrong`);
    }
    if (type === 'IHDR') chunks.header = data;
    else if (type === 'PLTE') chunks.palette = data;
    else if (type === 'tRNS') chunks.transparency = data;
    else if (type === 'IDAT') chunks.data.push(data);
    else if (type === 'IEND') return chunks;
    at = end;
  }
}

/** Inflates to exactly `expectedBytes`; a "bomb" stops there. */
function inflate(parts: Uint8Array[], expectedBytes: number): Uint8Array {
  const [first] = parts;
  if (!first) throw corruptImage('a PNG without image data');
  let raw: Uint8Array;
  try {
    // One byte more than expected, so that too much is told from just enough.
    raw = inflateSync(parts.length === 1 ? first : Buffer.concat(parts), {
      maxOutputLength: expectedBytes + 1,
    });
  } catch (error) {
    throw corruptImage('its data cannot be decompressed', error);
  }
  if (raw.length !== expectedBytes) throw corruptImage('its data has the wrong length');
  return raw;
}

/** Undoes one row's filter in place. */
function unfilter(filter: number, line: Uint8Array, above: Uint8Array, step: number): void {
  const length = line.length;
  switch (filter) {
    case 0:
      return;
    case 1:
      for (let i = step; i < length; i++) line[i] = (line[i] ?? 0) + (line[i - step] ?? 0);
      return;
    case 2:
      for (let i = 0; i < length; i++) line[i] = (line[i] ?? 0) + (above[i] ?? 0);
      return;
    case 3:
      for (let i = 0; i < length; i++) {
        const left = i < step ? 0 : (line[i - step] ?? 0);
        line[i] = (line[i] ?? 0) + ((left + (above[i] ?? 0)) >> 1);
      }
      return;
    case 4:
      for (let i = 0; i < length; i++) {
        const left = i < step ? 0 : (line[i - step] ?? 0);
        const up = above[i] ?? 0;
        const corner = i < step ? 0 : (above[i - step] ?? 0);
        line[i] = (line[i] ?? 0) + paeth(left, up, corner);
      }
      return;
    default:
      throw corruptImage('an unknown row filter');
  }
}

function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

type PixelWriter = (line: Uint8Array, columns: number, to: number, step: number) => void;

/** A function that writes one unfiltered row as RGBA, `step` bytes from pixel to pixel. */
function pixelWriter(type: number, depth: number, chunks: Chunks, out: Uint8ClampedArray): PixelWriter {
  const { palette, transparency } = chunks;
  if (type === 3) {
    if (!palette) throw corruptImage('its palette is missing');
    return (line, columns, to, step) => {
      for (let x = 0; x < columns; x++, to += step) {
        const index = sampleAt(line, x, depth);
        out[to] = palette[index * 3] ?? 0;
        out[to + 1] = palette[index * 3 + 1] ?? 0;
        out[to + 2] = palette[index * 3 + 2] ?? 0;
        out[to + 3] = transparency?.[index] ?? 255;
      }
    };
  }
  const samples = samplesOfType[type] ?? 0;
  const isColour = samples >= 3;
  const hasAlpha = samples === 2 || samples === 4;
  /** The one colour that tRNS makes transparent, in the image's own depth. */
  const key = hasAlpha || !transparency ? undefined : keyColour(transparency, isColour ? 3 : 1);
  // 16-bit samples keep their high byte, lower depths are spread over 0 to 255.
  const toByte = (value: number): number =>
    depth === 16 ? value >> 8 : depth === 8 ? value : (value * 255) / ((1 << depth) - 1);
  return (line, columns, to, step) => {
    for (let x = 0, i = 0; x < columns; x++, i += samples, to += step) {
      const r = sampleAt(line, i, depth);
      const g = isColour ? sampleAt(line, i + 1, depth) : r;
      const b = isColour ? sampleAt(line, i + 2, depth) : r;
      out[to] = toByte(r);
      out[to + 1] = toByte(g);
      out[to + 2] = toByte(b);
      if (hasAlpha) out[to + 3] = toByte(sampleAt(line, i + samples - 1, depth));
      else out[to + 3] = key?.[0] === r && key[1] === g && key[2] === b ? 0 : 255;
    }
  };
}

function keyColour(transparency: Uint8Array, samples: 1 | 3): [number, number, number] {
  if (transparency.length < samples * 2) throw corruptImage('its transparency is cut off');
  const at = (i: number): number => sampleAt(transparency, samples === 3 ? i : 0, 16);
  return [at(0), at(1), at(2)];
}

/** The `i`-th sample of a row. */
function sampleAt(line: Uint8Array, i: number, depth: number): number {
  if (depth === 8) return line[i] ?? 0;
  if (depth === 16) return ((line[i * 2] ?? 0) << 8) | (line[i * 2 + 1] ?? 0);
  const bit = i * depth;
  return ((line[bit >> 3] ?? 0) >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
}
