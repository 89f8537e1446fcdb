import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { isAlive, processStartTime } from './processIdentity';

const NAME = 'container.lock';
const POLL_MS = 5;
const PATIENCE_MS = 10_000;

const holderSchema = v.object({ pid: v.number(), pidStartTime: v.nullable(v.number()) });

/**
 * Does `work` while no other process does the like in `dir`, which has to exist. The lock of a process that died
 * with it is broken.
 * @throws Error what `work` throws, or that another process held the lock for too long
 */
export async function withLock<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const mine = join(dir, `.${randomUUID()}`);
  const lock = join(dir, NAME);
  const holder = { pid: process.pid, pidStartTime: processStartTime(process.pid) };
  await writeFile(mine, JSON.stringify(holder), { mode: 0o600, flag: 'wx' });
  try {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await take(mine, lock))) {
      if (performance.now() > deadline) {
        throw new Error(`${lock} is held by another process: end that one, or remove the file`);
      }
      await breakStale(dir, lock);
      await delay(POLL_MS);
    }
    try {
      return await work();
    } finally {
      await rm(lock, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/**
 * Takes a lock of `dir`, which has to exist, for as long as this process lives or until it is released.
 * @returns what releases it; undefined if a living process has it
 */
export async function holdLock(dir: string, name: string): Promise<(() => Promise<void>) | undefined> {
  const mine = join(dir, `.${randomUUID()}`);
  const lock = join(dir, name);
  await writeFile(mine, JSON.stringify({ pid: process.pid, pidStartTime: processStartTime(process.pid) }), {
    mode: 0o600,
    flag: 'wx',
  });
  try {
    await breakStale(dir, lock);
    return (await take(mine, lock)) ? () => rm(lock, { force: true }) : undefined;
  } finally {
    await rm(mine, { force: true });
  }
}

/** Whether a living process has that lock. */
export async function isLocked(dir: string, name: string): Promise<boolean> {
  const seen = await readFile(join(dir, name), 'utf8').catch(() => undefined);
  return seen !== undefined && isHeld(seen);
}

async function take(mine: string, lock: string): Promise<boolean> {
  try {
    await link(mine, lock);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

async function breakStale(dir: string, lock: string): Promise<void> {
  const seen = await readFile(lock, 'utf8').catch(() => undefined);
  if (seen === undefined || isHeld(seen)) {
    return;
  }
  const aside = join(dir, `.${randomUUID()}`);
  try {
    await rename(lock, aside);
  } catch {
    // Somebody else has just broken it.
    return;
  }
  if ((await readFile(aside, 'utf8')) !== seen) {
    // And somebody has it again already: it is given back.
    await link(aside, lock).catch(() => undefined);
  }
  await rm(aside, { force: true });
}

function isHeld(text: string): boolean {
  try {
    const { pid, pidStartTime } = v.parse(holderSchema, JSON.parse(text));
    return isAlive(pid, pidStartTime);
  } catch {
    return false;
  }
}
