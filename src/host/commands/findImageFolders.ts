import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const IMAGE = /\.(jpe?g|png|webp)$/i;
const MAX_DEPTH = 4;
const MAX_FOLDERS_READ = 300;
const MAX_FOUND = 10;
const MIN_CLASSES = 2;
const SKIPPED = new Set(['node_modules', 'checkpoints', '__pycache__', 'venv']);

/**
 * Folders under `root` that look like an ImageFolder: two or more sub-folders with images in them. Looks at no more
 * than a few hundred folders, the shallow ones first, and follows no links.
 * @returns absolute paths
 */
export async function findImageFolders(root: string): Promise<string[]> {
  const found: string[] = [];
  const listings = new Map<string, Dirent[]>();
  let reads = 0;
  const list = async (dir: string): Promise<Dirent[]> => {
    const known = listings.get(dir);
    if (known !== undefined) {
      return known;
    }
    reads += 1;
    const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
    listings.set(dir, entries);
    return entries;
  };
  let level = [root];
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const dir of level) {
      const children = subFolders(dir, await list(dir));
      let classes = 0;
      for (const child of children) {
        if (reads >= MAX_FOLDERS_READ) {
          return found;
        }
        classes += (await list(child)).some((entry) => entry.isFile() && IMAGE.test(entry.name)) ? 1 : 0;
      }
      if (classes >= MIN_CLASSES) {
        found.push(dir);
      } else {
        next.push(...children);
      }
      if (found.length >= MAX_FOUND) {
        return found;
      }
    }
    level = next;
  }
  return found;
}

function subFolders(dir: string, entries: readonly Dirent[]): string[] {
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !SKIPPED.has(entry.name))
    .map((entry) => join(dir, entry.name));
}
