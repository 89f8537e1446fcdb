import { basename } from 'node:path';
import type { Location, RunError } from '../../protocol/run';
import { ParameterError } from '../../protocol/parameters';
import { UserSyntaxError } from './transform';

/** What an exception of the user's code comes to. @param isOwn whether a file is one of the user's */
export function failureOf(error: unknown, isOwn: (file: string) => boolean): RunError {
  if (error instanceof UserSyntaxError) {
    const { message, file, line } = error;
    return {
      code: 'syntax',
      message: `${basename(file)}:${line}: SyntaxError: ${message}`,
      location: { file, line },
    };
  }
  if (error instanceof ParameterError) {
    return { code: 'parameters', message: error.message };
  }
  const location = placeOf(error, isOwn);
  const message = error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${String(error)}`;
  return { code: 'user_code', message, ...(location === undefined ? {} : { location }) };
}

/** The exception with the user's own lines of its stack; undefined where there are none. */
export function traceOf(error: unknown, isOwn: (file: string) => boolean): string | undefined {
  const frames = framesOf(error).filter(({ file }) => isOwn(file));
  return error instanceof Error && frames.length > 0
    ? [`${error.name}: ${error.message}`, ...frames.map(({ text }) => `    ${text}`)].join('\n')
    : undefined;
}

/** The innermost line of the user's own that the stack names. */
function placeOf(error: unknown, isOwn: (file: string) => boolean): Location | undefined {
  const frame = framesOf(error).find(({ file }) => isOwn(file));
  return frame === undefined ? undefined : { file: frame.file, line: frame.line };
}

/** Columns are left out: they are those of the transpiled code. */
function framesOf(error: unknown): { text: string; file: string; line: number }[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frames = stack.matchAll(/^\s+at (.*\()?(.+?):(\d+):\d+\)?$/gm);
  return [...frames].map(([, name = '', file = '', line = '']) => ({
    text: `at ${name}${file}:${line}${name === '' ? '' : ')'}`,
    file,
    line: Number(line),
  }));
}
