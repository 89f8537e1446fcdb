import { createHash, type Hash } from 'node:crypto';
import { writeFileAtomic } from '../../volume/atomicFile';
import { blockImages, digest, digestText, encodeTrailer, type PackFacts, type PackIndex } from './pack';

export type PackContents = {
  readonly imageBytes: number;
  /** The images in order, in pieces of whole images, each piece to be left as it is until the next is asked for. */
  readonly images: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Asked for once all images were taken. */
  readonly describe: () => Pick<PackFacts, 'skipped' | 'isFinal'> & PackIndex;
};

/**
 * Writes a pack whole or not at all.
 *
 * @throws the system's error if the file cannot be written, and what `images` throws
 */
export async function writePack(path: string, contents: PackContents): Promise<void> {
  await writeFileAtomic(path, packBytes(contents));
}

async function* packBytes({ imageBytes, images, describe }: PackContents): AsyncGenerator<Uint8Array> {
  const blocks = new BlockDigests(imageBytes);
  let count = 0;
  for await (const piece of images) {
    if (piece.length === 0) continue;
    blocks.add(piece);
    count += piece.length / imageBytes;
    yield piece;
  }
  const { skipped, isFinal, dir, files } = describe();
  const index = Buffer.from(JSON.stringify({ dir, files } satisfies PackIndex));
  const facts = Buffer.from(
    JSON.stringify({
      imageBytes,
      count,
      skipped,
      isFinal,
      digests: blocks.finish(),
      indexBytes: index.length,
      indexDigest: digest(index),
    } satisfies PackFacts),
  );
  yield index;
  yield facts;
  yield encodeTrailer(facts);
}

/** The digests of the blocks of what is added, whatever pieces it comes in. */
class BlockDigests {
  readonly #blockBytes: number;
  readonly #digests: string[] = [];
  #hash: Hash | undefined;
  #left = 0;

  constructor(imageBytes: number) {
    this.#blockBytes = blockImages(imageBytes) * imageBytes;
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (!this.#hash) {
        this.#hash = createHash('sha256');
        this.#left = this.#blockBytes;
      }
      const part = bytes.subarray(at, at + this.#left);
      this.#hash.update(part);
      at += part.length;
      this.#left -= part.length;
      if (this.#left === 0) this.#end(this.#hash);
    }
  }

  finish(): string[] {
    if (this.#hash) this.#end(this.#hash);
    return this.#digests;
  }

  #end(hash: Hash): void {
    this.#digests.push(digestText(hash));
    this.#hash = undefined;
  }
}
