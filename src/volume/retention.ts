import { rm, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isFinal } from '../protocol/run';
import type { OutputsVolume } from './outputsVolume';

/**
 * Keeps the checkpoints of a recipe's newest dated directories and removes those of the older ones; history,
 * events and logs stay, and so do the checkpoints of runs that are pinned or have not ended.
 * @param keepDates how many dated directories to keep; 0 keeps all
 * @returns paths of the removed files, relative to the volume
 */
export async function applyRetention(
  volume: OutputsVolume,
  recipe: string,
  keepDates: number,
): Promise<string[]> {
  if (keepDates === 0) {
    return [];
  }
  const expired = (await volume.datedDirectories(recipe)).slice(keepDates);
  const removed: string[] = [];
  for (const date of expired) {
    const dated = join(volume.recipeDir(recipe), date);
    for (const name of await readdir(dated)) {
      const dir = join(dated, name);
      const record = await volume.readRecord(dir);
      if (record === undefined || record.pinned || !isFinal(record.state)) {
        continue;
      }
      const files = (await readdir(dir)).filter((file) => file.endsWith('.safetensors'));
      for (const file of files) {
        await rm(join(dir, file), { force: true });
        removed.push(relative(volume.root, join(dir, file)));
      }
      if (record.checkpoints.length > 0) {
        await volume.writeRecord(dir, { ...record, checkpoints: [] });
      }
    }
  }
  return removed;
}
