import type { Dirent, Stats } from 'node:fs';
import { statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DataError, errorText, quote } from './dataError';

/** An image file as listed, its path relative to the data folder with `/` on every system. */
export type FoundImage = { readonly relativePath: string; readonly bytes: number; readonly mtimeMs: number };

export type Listing = {
  /** Sorted by relative path. */
  readonly images: FoundImage[];
  /** Names of the sub folders directly below, sorted; links to folders included. */
  readonly folders: string[];
  /** Files that are neither images nor hidden, broken links among them. */
  readonly ignored: number;
  /** Everything seen, apart from hidden files. */
  readonly entries: number;
};

const imageName = /\.(?:jpe?g|png|webp)$/i;
const passedOver = new Set(['__macosx', 'thumbs.db', 'desktop.ini']);
/** Enough to keep the thread pool busy, few enough to leave file handles to others. */
const statBatch = 64;
/** A file system that takes longer for a file, as one over a network does, is asked for several at a time. */
const slowStatMs = 0.1;

/** Orders strings by Unicode code point, as Python does; JavaScript's own order is by UTF-16 unit. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xIsSurrogate = (x & 0xf800) === 0xd800;
    const yIsSurrogate = (y & 0xf800) === 0xd800;
    if (xIsSurrogate !== yIsSurrogate) return xIsSurrogate ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

/**
 * Lists the images below `root`/`from`, sub folders included unless `nested` is false. Every real folder is visited
 * once, so a loop of links ends.
 *
 * @throws {DataError} `not-readable` if a folder below `root` cannot be read.
 */
export async function listImages(root: string, from: string, { nested = true } = {}): Promise<Listing> {
  const images: FoundImage[] = [];
  const visited = new Set<string>();
  const topFolders: string[] = [];
  const queue = [from];
  let ignored = 0;
  let entries = 0;
  let isSlow = false;

  for (let relative = queue.pop(); relative !== undefined; relative = queue.pop()) {
    const folder = await readFolder(root, relative, visited);
    const below = folder.map(({ name }) => (relative === '' ? name : `${relative}/${name}`));
    entries += folder.length;
    const folders: string[] = [];
    for (let start = 0; start < folder.length; start += statBatch) {
      const batch = folder.slice(start, start + statBatch);
      const paths = batch.map((entry, i) =>
        isWanted(entry) ? join(root, below[start + i] ?? '') : undefined,
      );
      const startMs = performance.now();
      const stats = isSlow ? await statTogether(paths) : paths.map(statNow);
      isSlow ||= performance.now() - startMs > slowStatMs * batch.length;
      await nextTurn();
      for (const [i, entry] of batch.entries()) {
        const relativePath = below[start + i] ?? '';
        const found = stats[i];
        if (found?.isDirectory() ?? entry.isDirectory()) folders.push(relativePath);
        else if (found?.isFile() && imageName.test(entry.name)) {
          images.push({ relativePath, bytes: found.size, mtimeMs: found.mtimeMs });
        } else ignored++;
      }
    }
    // Last in, first out: reversed, so that the first of several links to one folder is always the same one.
    folders.sort(compareCodePoints).reverse();
    if (nested) queue.push(...folders);
    else topFolders.push(...folders.reverse());
  }
  images.sort((a, b) => compareCodePoints(a.relativePath, b.relativePath));
  return { images, folders: topFolders, ignored, entries };
}

/** The entries that count, or none if this real folder was visited before. */
async function readFolder(root: string, relative: string, visited: Set<string>): Promise<Dirent[]> {
  const path = join(root, relative);
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    const identity = `${dev}:${ino}`;
    if (ino !== 0n && visited.has(identity)) return [];
    visited.add(identity);
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith('.') && !passedOver.has(name.toLowerCase()));
  } catch (error) {
    if (relative === '') throw error;
    throw new DataError(
      'not-readable',
      `The folder ${quote(path)} cannot be read (${errorText(error)}). Check its permissions, or take it out of the data folder.`,
      { cause: error },
    );
  }
}

/** Images and links: what has to be looked at. */
function isWanted(entry: Dirent): boolean {
  return entry.isSymbolicLink() || (entry.isFile() && imageName.test(entry.name));
}

/** Undefined for a broken link. On a disk of this machine this takes a tenth of what a promise for it does. */
function statNow(path: string | undefined): Stats | undefined {
  try {
    return path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function statTogether(paths: readonly (string | undefined)[]): Promise<(Stats | undefined)[]> {
  return Promise.all(
    paths.map(async (path) => (path === undefined ? undefined : stat(path).catch(() => undefined))),
  );
}
