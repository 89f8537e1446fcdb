import { readdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isFinal } from '../protocol/run';
import type { OutputsVolume } from './outputsVolume';

export interface RetentionReport {
  /** Paths of the removed files, relative to the volume. */
  removed: string[];
  /** Why others that should have gone could not be removed. */
  failures: string[];
}

/**
 * Keeps the checkpoints of a recipe's newest dated directories and removes those of the older ones; history,
 * events and logs stay, and so do the checkpoints of runs that are pinned or have not ended.
 * @param keepDates how many dated directories to keep; 0 keeps all
 */
export async function applyRetention(
  volume: OutputsVolume,
  recipe: string,
  keepDates: number,
): Promise<RetentionReport> {
  const report: RetentionReport = { removed: [], failures: [] };
  if (keepDates === 0) {
    return report;
  }
  for (const date of (await volume.datedDirectories(recipe)).slice(keepDates)) {
    for (const dir of await volume.runDirectories(recipe, date)) {
      try {
        await removeCheckpoints(volume, dir, report.removed);
      } catch (error) {
        report.failures.push(error instanceof Error ? error.message : String(error));
      }
    }
  }
  return report;
}

async function removeCheckpoints(volume: OutputsVolume, dir: string, removed: string[]): Promise<void> {
  const record = await volume.readRecord(dir);
  if (record === undefined || record.pinned || !isFinal(record.state)) {
    return;
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
