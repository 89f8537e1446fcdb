import { homedir } from 'node:os';
import { join } from 'node:path';

/** Folder of what belongs to the user and not to a volume: descriptors of living containers, engines. */
export function stateHome(): string {
  const chosen = process.env.TINY_CATS_HOME;
  return chosen === undefined || chosen === '' ? join(homedir(), '.tiny-cats') : chosen;
}
