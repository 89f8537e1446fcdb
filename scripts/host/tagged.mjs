/**
 * Processes known by a tag in their environment. Children inherit it, also those that leave their parent's group on
 * purpose, as a warm container does; so whoever set the tag can end all of them and nothing else.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const tagPrefix = 'TINY_CATS_TAG_';

/** @returns {string} the name of an environment variable that no other process has; its value is 1 */
export const newTag = () => tagPrefix + randomUUID().replaceAll('-', '');

/**
 * @param {string} tag
 * @returns {number[]} ids of the live processes with the tag, ours excepted; none where there is no /proc
 */
export function taggedProcesses(tag) {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      if (!(pid > 0) || pid === process.pid) return false;
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`\0${tag}=1\0`);
      } catch {
        return false; // ended meanwhile, or another user's
      }
    });
}

/** @param {readonly number[]} pids @param {NodeJS.Signals} signal */
function signalAll(pids, signal) {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself.
    }
  }
}

/**
 * Ends the processes with a tag: politely first, by force after a second.
 * @param {string} tag
 */
export async function endTagged(tag) {
  signalAll(taggedProcesses(tag), 'SIGTERM');
  for (let tries = 0; tries < 50; tries++) {
    const left = taggedProcesses(tag);
    if (left.length === 0) return;
    if (tries >= 10) signalAll(left, 'SIGKILL');
    await delay(100);
  }
}
