import { deflateSync } from 'node:zlib';
import { crc32, pngSignature } from './pngFormat';

/** One PNG chunk: length, type, data and CRC. */
export function pngChunk(type: string, data: Uint8Array): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

/** Encodes 8-bit RGB pixels, shape [height, width, 3], with the Sub filter on every row. */
export function encodePng(width: number, height: number, rgb: Uint8Array): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rowLength = width * 3;
  const filtered = new Uint8Array(height * (rowLength + 1));
  for (let y = 0, to = 0; y < height; y++) {
    filtered[to++] = 1;
    for (let x = 0, from = y * rowLength; x < rowLength; x++, from++) {
      filtered[to++] = (rgb[from] ?? 0) - (x < 3 ? 0 : (rgb[from - 3] ?? 0));
    }
  }
  return Buffer.concat([
    pngSignature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(filtered, { level: 1 })),
    pngChunk('IEND', new Uint8Array(0)),
  ]);
}
