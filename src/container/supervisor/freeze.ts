import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from '../../protocol/schema';
import type { Thaw } from '../../targets/local/startOptions';
import { thawPath, thawSchema } from '../../targets/local/startOptions';

const POLL_MS = 50;
/** Of running time, which is counted, since for a restored process clocks jump. */
const MAX_POLLS = 120_000 / POLL_MS;
const GOES_ON: Thaw = { restored: null };

/**
 * Waits until the container is to go on. It looks for a file, since a process that holds a connection, or a watch on a
 * folder, is not restored.
 * @returns how it goes on; as if nothing had been if nobody says so for two minutes
 */
export async function thawed(thawDir: string, freezeId: string): Promise<Thaw> {
  const path = thawPath(thawDir, freezeId);
  for (let polls = 0; polls < MAX_POLLS; polls += 1) {
    const thaw = await readThaw(path);
    if (thaw !== undefined) {
      return thaw;
    }
    await delay(POLL_MS);
  }
  return GOES_ON;
}

/** @returns undefined if it is not there yet, or not yet whole */
async function readThaw(path: string): Promise<Thaw | undefined> {
  try {
    const said: unknown = JSON.parse(await readFile(path, 'utf8'));
    return parse(thawSchema, said, path);
  } catch {
    return undefined;
  }
}
