import { constants } from 'node:buffer';
import { totalmem } from 'node:os';
import { DataError, quote } from './dataError';
import { decodeToDisk, decodeToMemory, type DecodedImages } from './decodeToPack';
import type { DecodeOptions } from './decodeFolder';
import type { ImageFolder } from './imageFolder';
import { KnownImages } from './knownImages';
import { packPath, touchPack, type CacheLimits } from './packCache';
import { PackReader } from './packReader';

/** A data set, its images in memory or, if it is too large for that, on disk. To be closed. */
export type Dataset = {
  readonly classes: readonly string[];
  /** Width and height of every image, in pixels. */
  readonly imageSize: number;
  /** Number of images, N. */
  readonly count: number;
  /** RGB bytes in shared memory, shape [N, imageSize, imageSize, 3]; undefined if they stay on disk. */
  readonly images: Uint8Array | undefined;
  /** Class index of each image, shape [N]. */
  readonly labels: Int32Array;
  readonly countsPerClass: readonly number[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** Of the folder it was made from. */
  readonly fingerprint: string;
  /** Whether no file of the folder had to be looked into. */
  readonly fromCache: boolean;
  /** Images that had to be decoded for it; the others were in the cache. */
  readonly decoded: number;
  /** Settles once its images are in the cache, as far as they can be; never rejects. */
  readonly cached: Promise<void>;
  /** Copies the images of `indices`: RGB bytes, shape [indices, imageSize, imageSize, 3]. */
  readImages: (indices: Int32Array, out: Uint8Array) => Promise<void>;
  close: () => Promise<void>;
};

type CacheOptions = Pick<DecodeOptions, 'imageSize'> & {
  readonly cacheDir: string;
  /** A data set of more bytes stays on disk; by default a quarter of the machine's memory. */
  readonly memoryLimitBytes?: number;
};

export type LoadOptions = DecodeOptions & CacheOptions & { readonly cacheLimits?: CacheLimits };

const namedInLog = 10;

/**
 * Decodes and resizes every image of `folder`, as far as the cache does not have it. Images that cannot be decoded are
 * skipped, counted and named.
 *
 * @throws {DataError} if a class loses all its images, or the data set fits neither memory nor disk
 * @throws the reason of `signal` once that is aborted
 */
export async function loadDataset(folder: ImageFolder, options: LoadOptions): Promise<Dataset> {
  const { imageSize, cacheDir, signal } = options;
  signal?.throwIfAborted();
  const place = placeOf(folder, options);
  const cached = await fromPack(place);
  signal?.throwIfAborted();
  if (cached) {
    options.onProgress?.(folder.files.length, folder.files.length);
    return assemble(folder, imageSize, cached, options.log);
  }
  const known = await KnownImages.open(cacheDir, imageSize, folder.dir);
  try {
    const decode = place.isStreamed ? decodeToDisk : decodeToMemory;
    return await assemble(folder, imageSize, await decode(folder, known, place.path, options), options.log);
  } finally {
    await known.close();
  }
}

/**
 * The data set if the cache has the whole of it, else undefined. Says nothing of skipped images.
 * @throws {DataError} as `loadDataset`
 */
export async function loadCachedDataset(
  folder: ImageFolder,
  options: CacheOptions,
): Promise<Dataset | undefined> {
  const cached = await fromPack(placeOf(folder, options));
  return cached && assemble(folder, options.imageSize, cached, () => undefined);
}

/** Where the data set's images are in the cache, and how they are used. */
interface Place {
  readonly path: string;
  readonly imageBytes: number;
  readonly fileCount: number;
  readonly isStreamed: boolean;
}

function placeOf(folder: ImageFolder, options: CacheOptions): Place {
  const { imageSize, cacheDir, memoryLimitBytes = defaultMemoryLimitBytes() } = options;
  const imageBytes = imageSize * imageSize * 3;
  const fileCount = folder.files.length;
  const isStreamed = fileCount * imageBytes > memoryLimitBytes;
  return { path: packPath(cacheDir, folder, imageSize), imageBytes, fileCount, isStreamed };
}

/** A quarter of the memory that this process may use, and no more than one array holds. */
export function defaultMemoryLimitBytes(): number {
  const constrained = process.constrainedMemory();
  const total = constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
  return Math.min(total / 4, constants.MAX_LENGTH);
}

/** The whole data set from its pack, or undefined if there is none, or some files are to be tried again. */
async function fromPack({
  path,
  imageBytes,
  fileCount,
  isStreamed,
}: Place): Promise<DecodedImages | undefined> {
  const pack = await PackReader.open(path, imageBytes);
  if (!pack) return undefined;
  const { count, skipped, isFinal } = pack.facts;
  const common = { skipped, decoded: 0, fromCache: true, cached: Promise.resolve() };
  if (isFinal && count + skipped.length === fileCount) {
    await touchPack(path);
    if (isStreamed) return { ...common, images: undefined, pack };
    const images = new Uint8Array(new SharedArrayBuffer(count * imageBytes));
    const isWhole = await pack.readAll(images).catch(() => false);
    await pack.close();
    return isWhole ? { ...common, images, pack: undefined } : undefined;
  }
  await pack.close();
  return undefined;
}

async function assemble(
  folder: ImageFolder,
  imageSize: number,
  { images, pack, skipped: skippedFiles, fromCache, decoded, cached }: DecodedImages,
  log: LoadOptions['log'],
): Promise<Dataset> {
  const skippedIndices = new Set(skippedFiles.map(({ fileIndex }) => fileIndex));
  const labels = Int32Array.from(
    folder.files.filter((_, index) => !skippedIndices.has(index)),
    ({ label }) => label,
  );
  const countsPerClass = folder.classes.map(() => 0);
  for (const label of labels) countsPerClass[label] = (countsPerClass[label] ?? 0) + 1;
  const skipped = skippedFiles.map(({ fileIndex, reason }) => ({
    path: folder.files[fileIndex]?.path ?? '',
    reason,
  }));
  if (skipped.length > 0) log('warning', describeSkipped(skipped, folder.files.length));
  const lost = folder.classes.filter((_, label) => countsPerClass[label] === 0);
  if (lost.length > 0) {
    await pack?.close();
    const example = skippedFiles.find(
      ({ fileIndex }) => countsPerClass[folder.files[fileIndex]?.label ?? -1] === 0,
    );
    const path = folder.files[example?.fileIndex ?? -1]?.path ?? '';
    throw new DataError(
      'class-without-images',
      `None of the images of ${lost.map(quote).join(', ')} in ${quote(folder.dir)} can be used; first, ` +
        `${quote(path)}: ${example?.reason ?? ''}. Replace these images, or remove the class's folder.`,
    );
  }
  const { classes, fingerprint } = folder;
  const count = labels.length;
  const facts = {
    classes,
    imageSize,
    count,
    images,
    labels,
    countsPerClass,
    skipped,
    fingerprint,
    fromCache,
    decoded,
    cached,
  };
  return {
    ...facts,
    readImages: async (indices, out) => {
      const imageBytes = imageSize * imageSize * 3;
      requireImages(indices, count, out.length, imageBytes);
      if (pack) await pack.readImages(indices, out);
      else copyImages(images, imageBytes, indices, out);
    },
    close: async () => {
      await cached;
      await pack?.close();
    },
  };
}

/** @throws {RangeError} if an index is not in the data set or `outLength` is too short */
function requireImages(indices: Int32Array, count: number, outLength: number, imageBytes: number): void {
  if (outLength < indices.length * imageBytes)
    throw new RangeError(`${indices.length} images need ${indices.length * imageBytes} bytes.`);
  for (const index of indices) {
    if (index < 0 || index >= count) throw new RangeError(`The data set has no image ${index}.`);
  }
}

function copyImages(images: Uint8Array, imageBytes: number, indices: Int32Array, out: Uint8Array): void {
  indices.forEach((index, n) =>
    out.set(images.subarray(index * imageBytes, (index + 1) * imageBytes), n * imageBytes),
  );
}

function describeSkipped(skipped: Dataset['skipped'], total: number): string {
  const named = skipped.slice(0, namedInLog).map(({ path, reason }) => `  ${quote(path)}: ${reason}`);
  const more = skipped.length > namedInLog ? [`  and ${skipped.length - namedInLog} more`] : [];
  return [`${skipped.length} of ${total} images were skipped:`, ...named, ...more].join('\n');
}
