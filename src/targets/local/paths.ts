import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { stateHome } from './stateHome';

/**
 * Folder of a container of an outputs volume.
 * @param outputsDir the volume's real path
 * @param slot which of the volume's containers; 0 is the one that is there outside of sweeps
 */
export function containerDir(outputsDir: string, slot = 0): string {
  const key = volumeKey(outputsDir);
  return join(containersDir(), slot === 0 ? key : `${key}-${slot}`);
}

/** Folders of all containers that an outputs volume has or had, in no order. */
export async function containerDirs(outputsDir: string): Promise<string[]> {
  const key = volumeKey(outputsDir);
  const names = await readdir(containersDir()).catch(() => []);
  return names
    .filter(
      (name) => name === key || (name.startsWith(`${key}-`) && /^\d+$/.test(name.slice(key.length + 1))),
    )
    .map((name) => join(containersDir(), name));
}

function containersDir(): string {
  return join(stateHome(), 'containers');
}

/** Names an outputs volume in the folder of containers. */
export function volumeKey(outputsDir: string): string {
  return createHash('sha256').update(outputsDir).digest('hex').slice(0, 16);
}

/** Folder of the process that drives a sweep: its lock and its log. */
export function sweepDir(sweepId: string): string {
  return join(stateHome(), 'sweeps', sweepId);
}

/** Folder into which "Install CUDA Engine" installs. */
export function enginesDir(): string {
  return join(stateHome(), 'engines');
}

/** Longest path of a socket in bytes that every system takes. */
const MAX_SOCKET_PATH_BYTES = 100;

/** Path of a container's socket, in a folder for this user alone: its own, or one with a shorter name. */
export function socketPath(dir: string): string {
  const path = join(dir, 'container.sock');
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES
    ? path
    : join('/tmp', `tiny-cats-${process.getuid?.() ?? 0}`, `${basename(dir)}.sock`);
}
