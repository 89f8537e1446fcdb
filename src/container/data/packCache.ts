import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { removeStaleTemporaries } from '../../volume/atomicFile';
import type { ImageFolder } from './imageFolder';

/** How much the cache keeps. The pack used last always stays. */
export type CacheLimits = { readonly packs: number; readonly bytes: number };

export const defaultCacheLimits: CacheLimits = { packs: 8, bytes: 8 * 1024 ** 3 };

/** The pack of a folder's present content at one image size. */
export function packPath(
  cacheDir: string,
  folder: Pick<ImageFolder, 'dir' | 'fingerprint'>,
  imageSize: number,
): string {
  const key = createHash('sha256').update(`${folder.dir}\0${folder.fingerprint}`).digest('hex').slice(0, 32);
  return join(cacheDir, `${key}${suffix(imageSize)}`);
}

function suffix(imageSize: number | ''): string {
  return imageSize === '' ? '.images' : `-${imageSize}.images`;
}

/** The packs of one image size, or of all, the one used last first. None if there is no cache yet. */
export async function listPacks(
  cacheDir: string,
  imageSize: number | '' = '',
): Promise<{ path: string; bytes: number; usedMs: number }[]> {
  const packs: { path: string; bytes: number; usedMs: number }[] = [];
  for (const name of await readdir(cacheDir).catch(() => [])) {
    if (!name.endsWith(suffix(imageSize))) continue;
    const path = join(cacheDir, name);
    // Another process may be removing it.
    const stats = await stat(path).catch(() => undefined);
    if (stats) packs.push({ path, bytes: stats.size, usedMs: stats.mtimeMs });
  }
  return packs.sort((a, b) => b.usedMs - a.usedMs);
}

/** Marks a pack as used now. */
export async function touchPack(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

/** Makes the folder and removes what is too much, and what a killed process left half-written. @throws the system's error */
export async function tidyCache(cacheDir: string, limits: CacheLimits): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  let bytes = 0;
  for (const [index, pack] of (await listPacks(cacheDir)).entries()) {
    bytes += pack.bytes;
    if (index > 0 && (index >= limits.packs || bytes > limits.bytes)) await rm(pack.path, { force: true });
  }
  await removeStaleTemporaries(cacheDir);
}
