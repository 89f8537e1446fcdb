import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

/** Folder of what belongs to the user and not to a volume: descriptors of living containers, engines. */
export function stateHome(): string {
  const chosen = process.env.TINY_CATS_HOME;
  return chosen === undefined || chosen === '' ? join(homedir(), '.tiny-cats') : chosen;
}

/** Folder of the container that owns an outputs volume. @param outputsDir the volume's real path */
export function containerDir(outputsDir: string): string {
  const key = createHash('sha256').update(outputsDir).digest('hex').slice(0, 16);
  return join(stateHome(), 'containers', key);
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
