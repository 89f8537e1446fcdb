import { format } from 'node:util';
import type { LogLevel } from '../../protocol/events';

const LEVELS = {
  log: 'info',
  info: 'info',
  debug: 'debug',
  trace: 'debug',
  warn: 'warning',
  error: 'error',
} as const satisfies Record<string, LogLevel>;

/** What a terminal would show of a line that a progress bar writes over again and again. */
function lastState(line: string): string {
  return line.split('\r').findLast((state) => state.trim() !== '') ?? '';
}

/** Hears the lines that code prints by `console` or to its streams. @returns tells of those that were not ended */
export function capturePrints(hear: (level: LogLevel, text: string) => void): () => void {
  const flushes: (() => void)[] = [];
  for (const [name, level] of Object.entries(LEVELS)) {
    Reflect.set(console, name, (...values: unknown[]) => {
      for (const line of format(...values).split('\n')) {
        hear(level, line);
      }
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    let open = '';
    const write = (data: string | Uint8Array, ...rest: unknown[]): boolean => {
      const text = typeof data === 'string' ? data : Buffer.from(data).toString();
      const lines = (open + text).split(/\r?\n/).map(lastState);
      open = lines.pop() ?? '';
      lines.filter((line) => line !== '').forEach((line) => hear('info', line));
      const done = rest.at(-1);
      if (typeof done === 'function') {
        Reflect.apply(done, undefined, []);
      }
      return true;
    };
    Reflect.set(stream, 'write', write);
    flushes.push(() => write('\n'));
  }
  return () => flushes.forEach((flush) => flush());
}
