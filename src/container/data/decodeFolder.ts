import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FileOutcome, LotFile } from './fileDecoder';
import type { ImageFile } from './imageFolder';
import type { KnownImages } from './knownImages';
import { createLotDecoder, decodeInThread, type LotDecoder, type LotDecoderOptions } from './lotDecoder';

export type DecodeOptions = LotDecoderOptions & {
  readonly onProgress?: (done: number, total: number) => void;
};

/** The images of consecutive files, the first of them `files[first]`. */
export type DecodedFiles = {
  readonly first: number;
  /** `known` are those that were not decoded anew; their images are there all the same. */
  readonly outcomes: readonly FileOutcome[];
  /** RGB, shape [outcomes, imageSize, imageSize, 3]; the places of files that were skipped hold anything. */
  readonly images: Uint8Array;
};

const lotFiles = 16;
const lotBytes = 4 * 1024 * 1024;
const tellEveryMs = 15;

/** A lot being decoded. */
type Work = {
  readonly first: number;
  readonly files: readonly ImageFile[];
  /** The content of each file whose content is known without reading it. */
  readonly hashes: readonly (string | undefined)[];
  readonly images: Uint8Array;
  /** What became of the others, in order. */
  readonly read: Promise<FileOutcome[]>;
};

/**
 * Decodes files in order, some of them ahead in worker threads. What `known` has is not decoded, and not even read if
 * path, size and time are as they were.
 *
 * @param allocate shared memory for the images of `count` files from the `first` on
 * @throws the reason of `signal` once that is aborted; an Error if a codec cannot be loaded
 */
export async function* decodeFolder(
  files: readonly ImageFile[],
  known: KnownImages,
  options: DecodeOptions,
  allocate: (first: number, count: number) => Uint8Array,
): AsyncGenerator<DecodedFiles, void, undefined> {
  const { imageSize, signal, onProgress } = options;
  const perLot = Math.max(1, Math.min(lotFiles, Math.floor(lotBytes / (imageSize * imageSize * 3))));
  const unread = files.filter((file) => known.hashOf(file) === undefined);
  const decoder = createLotDecoder(unread, known.hashes, options);
  /** For what turns out to be damaged in the cache. */
  const anew = decodeInThread(new Set(), options);
  const window: Work[] = [];
  let next = 0;
  let toldAt = performance.now();
  try {
    for (let done = 0; done < files.length;) {
      for (; next < files.length && window.length < decoder.ahead; next += perLot) {
        const lot = files.slice(next, next + perLot);
        window.push(begin(next, lot, allocate(next, lot.length), known, decoder));
      }
      const work = window.shift();
      if (!work) break;
      const outcomes = await complete(work, known, anew);
      done += outcomes.length;
      if (performance.now() - toldAt > tellEveryMs || done === files.length) {
        toldAt = performance.now();
        onProgress?.(done, files.length);
        await nextTurn();
      }
      signal?.throwIfAborted();
      yield { first: work.first, outcomes, images: work.images };
    }
  } finally {
    await decoder.end();
  }
}

function begin(
  first: number,
  files: readonly ImageFile[],
  images: Uint8Array,
  known: KnownImages,
  decoder: LotDecoder,
): Work {
  const hashes = files.map((file) => known.hashOf(file));
  const unread = files.flatMap(({ path, bytes }, slot): LotFile[] =>
    hashes[slot] === undefined ? [{ path, bytes, slot }] : [],
  );
  const read = unread.length === 0 ? Promise.resolve([]) : decoder.decode({ files: unread, out: images });
  // Whoever takes the lot from the window handles it; until then it is not an unhandled rejection.
  read.catch(() => undefined);
  return { first, files, hashes, images, read };
}

async function complete(work: Work, known: KnownImages, anew: LotDecoder): Promise<FileOutcome[]> {
  const read = (await work.read).values();
  const outcomes: FileOutcome[] = [];
  for (const [slot, file] of work.files.entries()) {
    const hash = work.hashes[slot];
    const outcome = hash === undefined ? read.next().value : ({ state: 'known', hash } as const);
    if (!outcome) throw new Error('A file was left out in decoding.');
    outcomes.push(
      outcome.state === 'known'
        ? await takeKnown(outcome.hash, { ...file, slot }, work, known, anew)
        : outcome,
    );
  }
  return outcomes;
}

/** Takes an image from the cache, or decodes it after all. */
async function takeKnown(
  hash: string,
  { path, bytes, slot }: LotFile,
  { images, files }: Work,
  known: KnownImages,
  anew: LotDecoder,
): Promise<FileOutcome> {
  const imageBytes = images.length / files.length;
  const taken = await known.take(hash, images.subarray(slot * imageBytes, (slot + 1) * imageBytes));
  if (taken)
    return taken.reason === undefined
      ? { state: 'known', hash }
      : { state: 'skipped', hash, reason: taken.reason };
  const [outcome] = await anew.decode({ files: [{ path, bytes, slot }], out: images });
  if (!outcome) throw new Error('A file was left out in decoding.');
  return outcome;
}
