import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Lines that a process has written to stdout so far. */
export function linesOf({ stdout }: ChildProcess): string[] {
  if (stdout === null) {
    throw new Error('stdout has to be a pipe');
  }
  const lines: string[] = [];
  createInterface(stdout).on('line', (line) => lines.push(line));
  return lines;
}
