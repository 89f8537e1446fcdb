import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodePng } from '../pngEncode';
import { Random } from '../random';
import { drawSample, sampleSize } from './scene';

const folderName = 'sample-cats';
const kinds = ['cat', 'other'] as const;
const imagesPerClass = 300;
/** In the folder once all images are in it. Its name changes with the images. */
const marker = '.complete-2';
/** Images drawn and written at a time; between two lots the event loop runs. */
const lot = 25;
const seed = 'tiny-cats';
/** A folder being made that is older was left behind: making one takes a second. */
const staleMs = 10 * 60_000;

/**
 * The folder `sample-cats` in `dataDir`, an ImageFolder of drawn cats and others; what is missing of it is made, unless
 * it was complete once. Each image depends on its class and number only. A new folder appears whole or not at all;
 * several processes may call this at once.
 *
 * @throws the system's error if `dataDir` cannot be written
 */
export async function ensureSampleDataset(dataDir: string): Promise<string> {
  const target = join(dataDir, folderName);
  if (await exists(join(target, marker))) return target;
  await removeStale(dataDir);
  const building = join(dataDir, `.${folderName}-${randomUUID()}.tmp`);
  try {
    await drawAll(building);
    if (await exists(target)) await moveInto(building, target);
    else await rename(building, target);
  } catch (error) {
    // Another process may have been first: then its folder is as good.
    if (!(await exists(join(target, marker)))) throw error;
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return target;
}

async function drawAll(folder: string): Promise<void> {
  for (const kind of kinds) {
    await mkdir(join(folder, kind), { recursive: true });
    for (let start = 0; start < imagesPerClass; start += lot) {
      await Promise.all(
        Array.from({ length: Math.min(lot, imagesPerClass - start) }, (_, i) =>
          writeSample(folder, kind, start + i),
        ),
      );
      await nextTurn();
    }
  }
  await writeFile(join(folder, marker), '');
}

async function writeSample(folder: string, kind: (typeof kinds)[number], index: number): Promise<void> {
  const { name, canvas } = drawSample(kind, index, Random.seeded(seed, kind, index));
  const file = `${name}-${String(index + 1).padStart(3, '0')}.png`;
  await writeFile(join(folder, kind, file), encodePng(sampleSize, sampleSize, canvas.rgb));
}

/** Completes a folder that was copied in part, or made by an older version; nothing else in it is touched. */
async function moveInto(from: string, to: string): Promise<void> {
  for (const kind of kinds) {
    await mkdir(join(to, kind), { recursive: true });
    for (const name of await readdir(join(from, kind)))
      await rename(join(from, kind, name), join(to, kind, name));
  }
  await rename(join(from, marker), join(to, marker));
}

/** Removes what a killed process left half-made. */
async function removeStale(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir).catch(() => [])) {
    if (!name.startsWith(`.${folderName}-`) || !name.endsWith('.tmp')) continue;
    const path = join(dataDir, name);
    const stats = await stat(path).catch(() => undefined);
    if (stats && Date.now() - stats.mtimeMs > staleMs) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
