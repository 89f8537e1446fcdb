import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import encodeJpegPixels, { init as initJpeg } from '@jsquash/jpeg/encode.js';
import encodeWebpPixels, { init as initWebp } from '@jsquash/webp/encode.js';
import { pngChunk } from '../../../src/container/data/pngEncode';
import { pngSignature } from '../../../src/container/data/pngFormat';

const require = createRequire(import.meta.url);

/** A folder of its own for one suite, removed by `remove`; its name is as awkward as users' are. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `tiny cäts 'q' "d" `));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Copies the decoders' wasm files into one folder, as the build does. */
export function makeWasmDir(parent: string): string {
  const wasmDir = join(parent, 'wasm');
  mkdirSync(wasmDir);
  for (const file of ['@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm', '@jsquash/webp/codec/dec/webp_dec.wasm']) {
    copyFileSync(require.resolve(file), join(wasmDir, basename(file)));
  }
  return wasmDir;
}

/** Writes files into `root`, making their folders: keys are paths with `/`. */
export function writeTree(root: string, files: Readonly<Record<string, Uint8Array | string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

type Paint = (x: number, y: number) => readonly [number, number, number, number?];

/** RGBA pixels of a picture given by a function. */
export function pixels(width: number, height: number, paint: Paint): Uint8ClampedArray {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [r, g, b, a = 255] = paint(x, y);
      data.set([r, g, b, a], (y * width + x) * 4);
    }
  }
  return data;
}

/** Emscripten options that start a codec from its wasm file in node_modules. */
function fromFile(wasm: string): {
  instantiateWasm: (imports: object, done: (instance: object) => void) => object;
} {
  return {
    instantiateWasm: (imports, done) => {
      void WebAssembly.compile(readFileSync(require.resolve(wasm)))
        .then((compiled) => WebAssembly.instantiate(compiled, imports))
        .then(done);
      return {};
    },
  };
}

export async function makeJpeg(width: number, height: number, paint: Paint, isGrey = false): Promise<Buffer> {
  await initJpeg(fromFile('@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm'));
  const data = pixels(width, height, paint);
  // 1 is GRAYSCALE, of an enum that exists in the package's types only.
  const colour: object = isGrey ? { color_space: 1 } : {};
  return Buffer.from(await encodeJpegPixels({ data, width, height }, { quality: 95, ...colour }));
}

export async function makeWebp(width: number, height: number, paint: Paint): Promise<Buffer> {
  await initWebp(fromFile('@jsquash/webp/codec/enc/webp_enc_simd.wasm'));
  const data = pixels(width, height, paint);
  return Buffer.from(await encodeWebpPixels({ data, width, height }, { lossless: 1 }));
}

/** Marks a JPEG as turned: an EXIF segment with nothing but the orientation, 1 to 8. */
export function withOrientation(jpeg: Buffer, orientation: number): Buffer {
  const tiff = Buffer.from('4d4d002a00000008000101120003000000010000000000000000', 'hex');
  tiff.writeUInt16BE(orientation, 18);
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
}

export type PngParts = {
  width: number;
  height: number;
  depth: number;
  colourType: number;
  interlaced?: boolean;
  /** Whole rows, each beginning with its filter byte. */
  rows: number[];
  palette?: number[];
  transparency?: number[];
};

/** Any PNG, from its raw parts: what an encoder would never write, too. */
export function makePng(parts: PngParts): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(parts.width, 0);
  header.writeUInt32BE(parts.height, 4);
  header.set([parts.depth, parts.colourType, 0, 0, parts.interlaced === true ? 1 : 0], 8);
  return Buffer.concat([
    pngSignature,
    pngChunk('IHDR', header),
    ...(parts.palette ? [pngChunk('PLTE', Uint8Array.from(parts.palette))] : []),
    ...(parts.transparency ? [pngChunk('tRNS', Uint8Array.from(parts.transparency))] : []),
    pngChunk('IDAT', deflateSync(Uint8Array.from(parts.rows))),
    pngChunk('IEND', new Uint8Array(0)),
  ]);
}
