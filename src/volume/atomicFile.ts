import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../targets/local/processIdentity';

/** What a file is made of. Chunks are written in order and never joined in memory. */
export type FileContent = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

const temporaryName = /^\.tiny-cats-(\d+)-[0-9a-f]{16}\.tmp$/;

/** A rename on Windows fails while a virus scanner or a reader holds the old file: pauses before trying again. */
const windowsRetryDelaysMs = [20, 80, 320, 1000];

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

async function replace(from: string, to: string): Promise<void> {
  const delaysMs = process.platform === 'win32' ? windowsRetryDelaysMs : [];
  for (const delayMs of delaysMs) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      if (!['EPERM', 'EACCES', 'EBUSY'].includes(errorCode(error))) {
        throw error;
      }
      await delay(delayMs);
    }
  }
  await rename(from, to);
}

/** Makes a rename in `directory` outlive a power cut, where the platform can sync a folder. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') {
    return;
  }
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems cannot sync a folder; the file itself is already safe.
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes(errorCode(error))) {
      throw error;
    }
  } finally {
    await handle.close();
  }
}

/**
 * Writes a file whole or not at all: to a hidden temporary file in the same folder, synced, then renamed over `path`.
 * A reader sees the old content or the new, whenever the writer is killed. The folder must exist. Of writers of the
 * same path the last to finish wins. `content` must not be changed before the promise settles.
 * @throws the file system's error; `path` is untouched and the temporary file is gone
 */
export async function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  const directory = dirname(path);
  const temporary = join(directory, `.tiny-cats-${process.pid}-${randomBytes(8).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await writeFile(handle, content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await replace(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(directory);
}

/**
 * Removes what writers that were killed left in `directory` (not in its subfolders). The temporary files of living
 * processes stay. A missing folder is no error.
 * @returns the names removed
 */
export async function removeStaleTemporaries(directory: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      return [];
    }
    throw error;
  }
  const stale = names.filter((name) => {
    const pid = temporaryName.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid), null);
  });
  await Promise.all(stale.map((name) => rm(join(directory, name), { force: true })));
  return stale;
}
