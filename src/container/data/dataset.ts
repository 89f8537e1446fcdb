import { setImmediate as nextTurn } from 'node:timers/promises';
import { DataError, errorText, quote } from './dataError';
import { cachePath, readCache, writeCache, type CachedImages } from './datasetCache';
import { createDecoder } from './decodeImage';
import type { ImageFile, ImageFolder } from './imageFolder';
import { readAhead } from './readAhead';
import { resizeToSquare } from './resize';

/** A data set in memory. */
export type Dataset = {
  readonly classes: readonly string[];
  /** Width and height of every image, in pixels. */
  readonly imageSize: number;
  /** Number of images, N. */
  readonly count: number;
  /** RGB bytes, shape [N, imageSize, imageSize, 3]. */
  readonly images: Uint8Array;
  /** Class index of each image, shape [N]. */
  readonly labels: Int32Array;
  readonly countsPerClass: readonly number[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** Of the folder it was made from. */
  readonly fingerprint: string;
  readonly fromCache: boolean;
};

export type LoadOptions = {
  readonly imageSize: number;
  readonly wasmDir: string;
  readonly cacheDir: string;
  readonly log: (level: 'info' | 'warning', text: string) => void;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
};

const maxDatasetBytes = 4 * 1024 ** 3;
/** How long decoding may keep the event loop to itself; a stop is noticed after this and one image at the latest. */
const sliceMs = 15;
const namedInLog = 10;

/**
 * Decodes and resizes every image of `folder`, or takes them from the cache. Images that cannot be decoded are
 * skipped, counted and named.
 *
 * @throws {DataError} if the data set is too large, or a class loses all its images
 * @throws the reason of `signal` once that is aborted
 */
export async function loadDataset(folder: ImageFolder, options: LoadOptions): Promise<Dataset> {
  const { imageSize, cacheDir, log, signal } = options;
  signal?.throwIfAborted();
  const total = folder.files.length;
  const imageBytes = imageSize * imageSize * 3;
  if (total * imageBytes > maxDatasetBytes) {
    throw new DataError(
      'dataset-too-large',
      `${total} images of ${imageSize} x ${imageSize} pixels need ${gib(total * imageBytes)} GiB of memory; at most ` +
        `${gib(maxDatasetBytes)} GiB are supported. Use a smaller image size or fewer images.`,
    );
  }
  const path = cachePath(cacheDir, folder, imageSize);
  const cached = await readCache(path, imageBytes, total);
  signal?.throwIfAborted();
  if (cached) {
    options.onProgress?.(total, total);
    return assemble(folder, imageSize, cached, true, log);
  }
  const { isRepeatable, ...decoded } = await decodeAll(folder.files, options);
  const dataset = assemble(folder, imageSize, decoded, false, log);
  // A file that could not be read today may be readable tomorrow: then the folder must be looked at again.
  if (isRepeatable) {
    await writeCache(cacheDir, path, decoded).catch((error: unknown) =>
      log('warning', `The decoded images could not be cached in ${quote(cacheDir)}: ${errorText(error)}`),
    );
  }
  return dataset;
}

async function decodeAll(
  files: readonly ImageFile[],
  { imageSize, wasmDir, onProgress, signal }: LoadOptions,
): Promise<CachedImages & { isRepeatable: boolean }> {
  const decode = createDecoder(wasmDir);
  const imageBytes = imageSize * imageSize * 3;
  const images = new Uint8Array(files.length * imageBytes);
  const skipped: { fileIndex: number; reason: string }[] = [];
  let isRepeatable = true;
  let count = 0;
  let done = 0;
  let sliceEnd = performance.now() + sliceMs;
  for await (const content of readAhead(files, signal)) {
    if (content instanceof Error) {
      isRepeatable = false;
      skipped.push({ fileIndex: done, reason: `cannot be read: ${content.message}` });
    } else {
      try {
        resizeToSquare(await decode(content), imageSize, images, count * imageBytes);
        count++;
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        skipped.push({ fileIndex: done, reason: error.message });
      }
    }
    done++;
    if (performance.now() > sliceEnd) {
      onProgress?.(done, files.length);
      await nextTurn();
      signal?.throwIfAborted();
      sliceEnd = performance.now() + sliceMs;
    }
  }
  signal?.throwIfAborted();
  onProgress?.(done, files.length);
  return { images: images.subarray(0, count * imageBytes), skipped, isRepeatable };
}

function assemble(
  folder: ImageFolder,
  imageSize: number,
  { images, skipped: skippedFiles }: CachedImages,
  fromCache: boolean,
  log: LoadOptions['log'],
): Dataset {
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
    const example = skippedFiles.find(({ fileIndex }) => countsPerClass[folder.files[fileIndex]?.label ?? -1] === 0);
    const path = folder.files[example?.fileIndex ?? -1]?.path ?? '';
    throw new DataError(
      'class-without-images',
      `None of the images of ${lost.map(quote).join(', ')} in ${quote(folder.dir)} can be used; first, ` +
        `${quote(path)}: ${example?.reason ?? ''}. Replace these images, or remove the class's folder.`,
    );
  }
  const { classes, fingerprint } = folder;
  return { classes, imageSize, count: labels.length, images, labels, countsPerClass, skipped, fingerprint, fromCache };
}

function describeSkipped(skipped: Dataset['skipped'], total: number): string {
  const named = skipped.slice(0, namedInLog).map(({ path, reason }) => `  ${quote(path)}: ${reason}`);
  const more = skipped.length > namedInLog ? [`  and ${skipped.length - namedInLog} more`] : [];
  return [`${skipped.length} of ${total} images were skipped:`, ...named, ...more].join('\n');
}

function gib(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1);
}
