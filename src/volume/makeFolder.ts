import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and the missing ones above it. Unlike Node's own recursive mkdir it ends where the file system
 * refuses new folders with "no such file", as /proc does; that one tries for ever.
 * @throws Error of the file system, also if a file has the name
 */
export function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    return;
  }
  const parent = dirname(path);
  if (parent !== path) {
    makeFolder(parent);
  }
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been faster.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw error;
    }
  }
}
