import { open, type FileHandle } from 'node:fs/promises';
import * as v from 'valibot';
import {
  blockImages,
  decodeTrailer,
  digest,
  packFactsSchema,
  packIndexSchema,
  trailerBytes,
  type PackFacts,
  type PackIndex,
} from './pack';

/** Node reads no more than 2 GiB at once; smaller reads let checking go on beside them. */
const pieceBytes = 8 * 1024 * 1024;

/** An open pack. Its images are counted from 0 in the order of the files that were not skipped. */
export class PackReader {
  /** The block that was read last, for images asked for in order. */
  #block: { readonly number: number; readonly bytes: Uint8Array | undefined } | undefined;

  private constructor(
    private readonly file: FileHandle,
    readonly facts: PackFacts,
  ) {}

  /** Undefined if there is no pack of such images, or one cut off, damaged or of another version. */
  static async open(path: string, imageBytes: number): Promise<PackReader | undefined> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch {
      return undefined;
    }
    const facts = await readFacts(file).catch(() => undefined);
    if (facts?.imageBytes === imageBytes) return new PackReader(file, facts);
    await file.close();
    return undefined;
  }

  /** Reads and checks all images: shape [count, imageBytes]. False if they are damaged. */
  async readAll(into: Uint8Array): Promise<boolean> {
    const { imageBytes, digests } = this.facts;
    const blockBytes = blockImages(imageBytes) * imageBytes;
    const step = Math.max(1, Math.floor(pieceBytes / blockBytes)) * blockBytes;
    const end = imageBytes * this.facts.count;
    let reading = readFully(this.file, into.subarray(0, Math.min(step, end)), 0);
    for (let start = 0; start < end; start += step) {
      await reading;
      const next = start + step;
      // The next piece is read while this one is checked.
      if (next < end) reading = readFully(this.file, into.subarray(next, Math.min(next + step, end)), next);
      for (let at = start; at < Math.min(next, end); at += blockBytes) {
        if (digest(into.subarray(at, Math.min(at + blockBytes, end))) !== digests[at / blockBytes]) {
          await reading;
          return false;
        }
      }
    }
    return true;
  }

  /** Reads and checks one image. False if it is damaged. Fast for images in ascending order. */
  async readChecked(position: number, out: Uint8Array): Promise<boolean> {
    const { imageBytes, count, digests } = this.facts;
    const perBlock = blockImages(imageBytes);
    const number = Math.floor(position / perBlock);
    if (this.#block?.number !== number) {
      const first = number * perBlock;
      const bytes = new Uint8Array(Math.min(perBlock, count - first) * imageBytes);
      await readFully(this.file, bytes, first * imageBytes);
      this.#block = { number, bytes: digest(bytes) === digests[number] ? bytes : undefined };
    }
    const { bytes } = this.#block;
    const at = (position - number * perBlock) * imageBytes;
    if (bytes) out.set(bytes.subarray(at, at + imageBytes));
    return bytes !== undefined;
  }

  /**
   * Reads images in any order, neighbours at once: shape [positions, imageBytes]. Their digests are not looked at: that
   * would mean to read whole blocks.
   *
   * @throws Error if the file cannot be read any more
   */
  async readImages(positions: Int32Array, out: Uint8Array): Promise<void> {
    const { imageBytes } = this.facts;
    const reads: Promise<void>[] = [];
    for (let start = 0; start < positions.length;) {
      const first = positions[start] ?? 0;
      let end = start + 1;
      while (end < positions.length && positions[end] === first + end - start) end++;
      reads.push(
        readFully(this.file, out.subarray(start * imageBytes, end * imageBytes), first * imageBytes),
      );
      start = end;
    }
    await Promise.all(reads);
  }

  /** The files it was made from. Undefined if the index is damaged. */
  async readIndex(): Promise<PackIndex | undefined> {
    const { imageBytes, count, indexBytes, indexDigest } = this.facts;
    try {
      const index = Buffer.alloc(indexBytes);
      await readFully(this.file, index, imageBytes * count);
      if (digest(index) !== indexDigest) return undefined;
      return v.parse(packIndexSchema, JSON.parse(index.toString()));
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#block = undefined;
    await this.file.close();
  }
}

async function readFacts(file: FileHandle): Promise<PackFacts | undefined> {
  const { size } = await file.stat();
  if (size < trailerBytes) return undefined;
  const last = Buffer.alloc(trailerBytes);
  await readFully(file, last, size - trailerBytes);
  const trailer = decodeTrailer(last);
  if (!trailer || trailer.factsBytes > size - trailerBytes) return undefined;
  const text = Buffer.alloc(trailer.factsBytes);
  await readFully(file, text, size - trailerBytes - text.length);
  if (digest(text) !== trailer.factsDigest) return undefined;
  const facts = v.parse(packFactsSchema, JSON.parse(text.toString()));
  const expectedBytes = facts.count * facts.imageBytes + facts.indexBytes + text.length + trailerBytes;
  return expectedBytes === size ? facts : undefined;
}

async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length;) {
    const length = Math.min(pieceBytes, into.length - done);
    const { bytesRead } = await file.read(into, done, length, position + done);
    if (bytesRead === 0) throw new Error('The file of decoded images ended early.');
    done += bytesRead;
  }
}
