import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where training code usually is. */
const USUAL = ['src/train.py', 'train.py', 'training/train.py', 'scripts/train.py'];

/** The entrypoint that a folder has by custom; undefined if it has none. */
export function usualEntrypoint(folder: string): string | undefined {
  const file = USUAL.find((path) => existsSync(join(folder, path)));
  return file === undefined ? undefined : `${file}:train`;
}
