import { statfs } from 'node:fs/promises';
import { DataError, errorText, quote } from './dataError';
import { decodeFolder } from './decodeFolder';
import type { LoadOptions } from './dataset';
import type { FileOutcome } from './fileDecoder';
import type { ImageFolder } from './imageFolder';
import type { KnownImages } from './knownImages';
import { blockImages, type PackFacts, type PackIndex } from './pack';
import { defaultCacheLimits, tidyCache } from './packCache';
import { PackReader } from './packReader';
import { writePack } from './packWriter';

/** The images of a folder without those skipped, in memory or in a pack. */
export type DecodedImages = {
  readonly skipped: PackFacts['skipped'];
  readonly fromCache: boolean;
  readonly decoded: number;
  readonly cached: Promise<void>;
} & (
  | { readonly images: Uint8Array; readonly pack: undefined }
  | { readonly images: undefined; readonly pack: PackReader }
);

/** Decodes into shared memory; the pack is written afterwards, beside whatever follows. */
export async function decodeToMemory(
  folder: ImageFolder,
  known: KnownImages,
  path: string,
  options: LoadOptions,
): Promise<DecodedImages> {
  const imageBytes = options.imageSize ** 2 * 3;
  const { files } = folder;
  const all = new Uint8Array(new SharedArrayBuffer(files.length * imageBytes));
  const place = (first: number, count: number): Uint8Array =>
    all.subarray(first * imageBytes, (first + count) * imageBytes);
  const record = new DecodeRecord(folder);
  let count = 0;
  for await (const { outcomes, images } of decodeFolder(files, known, options, place)) {
    // Never beyond the images it comes from: those skipped only move it forward.
    const kept = record.add(outcomes, images);
    if (kept.byteOffset !== count * imageBytes) all.set(kept, count * imageBytes);
    count += kept.length / imageBytes;
  }
  const images = all.subarray(0, count * imageBytes);
  const { cacheDir, cacheLimits = defaultCacheLimits, log } = options;
  const save = async (): Promise<void> => {
    await tidyCache(cacheDir, cacheLimits);
    await writePack(path, {
      imageBytes,
      images: blocks(images, imageBytes),
      describe: () => record.describe(),
    });
    await tidyCache(cacheDir, cacheLimits);
  };
  const cached = save().catch((error: unknown) =>
    log('warning', `The decoded images could not be cached in ${quote(cacheDir)}: ${errorText(error)}`),
  );
  return {
    images,
    pack: undefined,
    skipped: record.skipped,
    decoded: record.decoded,
    fromCache: false,
    cached,
  };
}

/** Decodes into a pack, of which only a few images are in memory at a time. */
export async function decodeToDisk(
  folder: ImageFolder,
  known: KnownImages,
  path: string,
  options: LoadOptions,
): Promise<DecodedImages> {
  const { cacheDir, cacheLimits = defaultCacheLimits, imageSize, signal } = options;
  const imageBytes = imageSize ** 2 * 3;
  const record = new DecodeRecord(folder);
  const allocate = (_: number, count: number): Uint8Array =>
    new Uint8Array(new SharedArrayBuffer(count * imageBytes));
  const keep = async function* (): AsyncGenerator<Uint8Array> {
    for await (const { outcomes, images } of decodeFolder(folder.files, known, options, allocate)) {
      yield record.add(outcomes, images);
    }
  };
  const fail = (detail: string, cause?: unknown): DataError =>
    new DataError(
      'dataset-too-large',
      `${folder.files.length} images of ${imageSize} x ${imageSize} pixels need ${gib(folder.files.length * imageBytes)} GiB, ` +
        `too much to keep in memory, and ${detail}. Use a smaller image size or fewer images.`,
      { cause },
    );
  try {
    await tidyCache(cacheDir, cacheLimits);
    const { bavail, bsize } = await statfs(cacheDir);
    if (bavail * bsize < folder.files.length * imageBytes)
      throw fail(`${quote(cacheDir)} has ${gib(bavail * bsize)} GiB left`);
    await writePack(path, { imageBytes, images: keep(), describe: () => record.describe() });
    await tidyCache(cacheDir, cacheLimits);
  } catch (error) {
    if (signal?.aborted || !(error instanceof Error && 'syscall' in error)) throw error;
    throw fail(`they cannot be kept in ${quote(cacheDir)}: ${errorText(error)}`, error);
  }
  const pack = await PackReader.open(path, imageBytes);
  if (!pack) throw fail(`they were lost from ${quote(cacheDir)}`);
  return {
    images: undefined,
    pack,
    skipped: record.skipped,
    decoded: record.decoded,
    fromCache: false,
    cached: Promise.resolve(),
  };
}

/** What became of the files of a folder so far. */
class DecodeRecord {
  readonly skipped: { fileIndex: number; reason: string }[] = [];
  decoded = 0;
  readonly #folder: ImageFolder;
  readonly #hashes: (string | null)[] = [];

  constructor(folder: ImageFolder) {
    this.#folder = folder;
  }

  /** Takes down the next files. Moves their images together and returns those that are there. */
  add(outcomes: readonly FileOutcome[], images: Uint8Array): Uint8Array {
    const imageBytes = images.length / outcomes.length;
    let kept = 0;
    for (const [slot, outcome] of outcomes.entries()) {
      const fileIndex = this.#hashes.push(outcome.hash ?? null) - 1;
      if (outcome.state === 'skipped') this.skipped.push({ fileIndex, reason: outcome.reason });
      else images.copyWithin(kept++ * imageBytes, slot * imageBytes, (slot + 1) * imageBytes);
      if (outcome.state === 'decoded') this.decoded++;
    }
    return images.subarray(0, kept * imageBytes);
  }

  describe(): Pick<PackFacts, 'skipped' | 'isFinal'> & PackIndex {
    const files = this.#folder.files.map(
      ({ relativePath, bytes, mtimeMs }, i): PackIndex['files'][number] => [
        relativePath,
        bytes,
        mtimeMs,
        this.#hashes[i] ?? null,
      ],
    );
    return { dir: this.#folder.dir, files, skipped: this.skipped, isFinal: !this.#hashes.includes(null) };
  }
}

/** In pieces that can be written one at a time. */
function* blocks(images: Uint8Array, imageBytes: number): Generator<Uint8Array> {
  const step = blockImages(imageBytes) * imageBytes;
  for (let start = 0; start < images.length; start += step) yield images.subarray(start, start + step);
}

function gib(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1);
}
