import { readFile } from 'node:fs/promises';
import type { ImageFile } from './imageFolder';

const filesAhead = 16;
/** Larger than any photograph that {@link maxPixels} lets through. */
const maxFileBytes = 512 * 1024 * 1024;

/**
 * The content of each file in order, the next ones being read meanwhile; an Error in place of a file that cannot be
 * read. Ends by throwing the reason of `signal` once that is aborted.
 */
export async function* readAhead(
  files: readonly Pick<ImageFile, 'path' | 'bytes'>[],
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array | Error, void, undefined> {
  const window: Promise<Uint8Array | Error>[] = [];
  let next = 0;
  try {
    for (let i = 0; i < files.length; i++) {
      for (; next < files.length && next < i + filesAhead; next++) {
        const file = files[next];
        if (file) window.push(readWhole(file));
      }
      const content = await window.shift();
      signal?.throwIfAborted();
      if (content) yield content;
    }
  } finally {
    await Promise.all(window);
  }
}

async function readWhole({ path, bytes }: Pick<ImageFile, 'path' | 'bytes'>): Promise<Uint8Array | Error> {
  if (bytes > maxFileBytes) return new Error(`its ${bytes} bytes are too many for an image`);
  try {
    return await readFile(path);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
