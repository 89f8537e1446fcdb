import type { LogLevel } from '../../src/protocol/events';
import type { LogLine } from '../../src/protocol/runView';
import { formatTime } from '../shared/format';

const SEVERITY: Record<LogLevel, number> = { debug: 0, info: 1, warning: 2, error: 3 };

export interface LogFilter {
  /** Lines below this level are hidden. */
  level: LogLevel;
  /** Lines without this text are hidden, in any case of letters. */
  text: string;
}

export const EVERYTHING: LogFilter = { level: 'debug', text: '' };

/** Makes the test that a filter stands for. */
export function lineMatcher(filter: LogFilter): (line: LogLine) => boolean {
  const least = SEVERITY[filter.level];
  const wanted = filter.text.trim().toLowerCase();
  return (line) =>
    SEVERITY[line.level] >= least && (wanted === '' || line.text.toLowerCase().includes(wanted));
}

/** Lines as text for the clipboard. */
export function logText(lines: readonly LogLine[]): string {
  return lines
    .map((line) => `${formatTime(line.time)} ${line.level.toUpperCase().padEnd(7)} ${line.text}`)
    .join('\n');
}

/** The lines that came after `seq`; lines are in the order of seq. */
export function linesAfter(lines: readonly LogLine[], seq: number): LogLine[] {
  let first = lines.length;
  while (first > 0 && (lines[first - 1]?.seq ?? 0) > seq) {
    first -= 1;
  }
  return lines.slice(first);
}
