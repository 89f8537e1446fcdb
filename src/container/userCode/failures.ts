import type { Location, RunError } from '../../protocol/run';
import { ParameterError } from '../../protocol/parameters';
import { UserSyntaxError } from './transform';

/** What an exception of the user's code comes to. @param isOwn whether a file is one of the user's */
export function failureOf(error: unknown, isOwn: (file: string) => boolean): RunError {
  if (error instanceof UserSyntaxError) {
    const { message, file, line } = error;
    return { code: 'syntax', message: `SyntaxError: ${message}`, location: { file, line } };
  }
  if (error instanceof ParameterError) {
    return { code: 'parameters', message: error.message };
  }
  const location = placeOf(error, isOwn);
  const message = error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${String(error)}`;
  return { code: 'user_code', message, ...(location === undefined ? {} : { location }) };
}

/** The innermost line of the user's own that the stack names. */
function placeOf(error: unknown, isOwn: (file: string) => boolean): Location | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const [, file = '', line = ''] of stack.matchAll(/^\s+at (?:.*\()?(.+?):(\d+):\d+\)?$/gm)) {
    if (isOwn(file)) {
      return { file, line: Number(line) };
    }
  }
  return undefined;
}
