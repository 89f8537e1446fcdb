import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { OutputsVolume } from '../volume/outputsVolume';
import { RUN_FILES } from '../volume/outputsVolume';
import { CommandError } from './errors';

/**
 * The file that a checkpoint's path or a run's id means: of a run its best checkpoint, else its last.
 * @throws CommandError if there is none, saying where it was looked for
 */
export async function checkpointPath(volume: OutputsVolume, cwd: string, given: string): Promise<string> {
  const path = resolve(cwd, given);
  if (await isFile(path)) {
    return path;
  }
  const dir = await volume.findRun(given);
  if (dir === undefined) {
    throw new CommandError(
      `There is no file ${path} and no run "${given}" in ${volume.root}. "tiny-cats runs" lists the runs.`,
    );
  }
  for (const name of [RUN_FILES.best, RUN_FILES.last]) {
    if (await isFile(join(dir, name))) {
      return join(dir, name);
    }
  }
  throw new CommandError(`Run ${given} has no checkpoint: none was saved, or retention has removed it.`);
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
}
