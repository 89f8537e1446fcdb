import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodePng } from '../pngEncode';
import { Random } from '../random';
import { drawSample, sampleSize } from './scene';

const folderName = 'sample-cats';
const imagesPerClass = 200;
/** Images drawn and written at a time; between two lots the event loop runs. */
const lot = 25;
const seed = 'tiny-cats';

/**
 * The folder `sample-cats` in `dataDir`, an ImageFolder of drawn cats and others; it is made if it is not there. Each
 * image depends on its class and number only. The folder appears whole or not at all; several processes may call this
 * at once.
 *
 * @throws the system's error if `dataDir` cannot be written
 */
export async function ensureSampleDataset(dataDir: string): Promise<string> {
  const target = join(dataDir, folderName);
  if (await isFolder(target)) return target;
  const building = join(dataDir, `.${folderName}-${randomUUID()}.tmp`);
  try {
    for (const kind of ['cat', 'other'] as const) {
      await mkdir(join(building, kind), { recursive: true });
      for (let start = 0; start < imagesPerClass; start += lot) {
        await Promise.all(
          Array.from({ length: Math.min(lot, imagesPerClass - start) }, (_, i) => writeSample(building, kind, start + i)),
        );
        await nextTurn();
      }
    }
    await rename(building, target);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    // Another process may have been first: then its folder is as good.
    if (!(await isFolder(target))) throw error;
  }
  return target;
}

async function writeSample(folder: string, kind: 'cat' | 'other', index: number): Promise<void> {
  const { name, canvas } = drawSample(kind, index, Random.seeded(seed, kind, index));
  const file = `${name}-${String(index + 1).padStart(3, '0')}.png`;
  await writeFile(join(folder, kind, file), encodePng(sampleSize, sampleSize, canvas.rgb));
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
