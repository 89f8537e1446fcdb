import { JSONRPCErrorException } from 'json-rpc-2.0';
import { ParameterError } from '../protocol/parameters';
import { ErrorCode } from '../protocol/rpc';
import { ContainerStartError } from '../targets/target';
import { optionName } from './text';

export const ExitCode = {
  done: 0,
  failed: 1,
  badArguments: 2,
  stopped: 130,
  /** Nobody reads the output any more: as if SIGPIPE had ended the process. */
  outputClosed: 141,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Arguments that no command can take. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What was asked for cannot be done; `message` says why and what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export interface Explanation {
  exitCode: ExitCode;
  /** For programs, as `RunError.code`. */
  code: string;
  message: string;
}

const RPC_CODES = new Map<number, string>([
  [ErrorCode.protocolMismatch, 'protocol'],
  [ErrorCode.busy, 'busy'],
  [ErrorCode.badParameters, 'parameters'],
  [ErrorCode.noSuchRun, 'no_such_run'],
  [ErrorCode.volume, 'volume'],
  [ErrorCode.notResumable, 'not_resumable'],
  [ErrorCode.tooManyMessages, 'too_many_messages'],
]);

/** What went wrong, in words for the user. */
export function explain(error: unknown): Explanation {
  if (error instanceof ParameterError) {
    const lines = error.problems.map(({ name, message }) =>
      message.startsWith(name) ? `--${optionName(name)}${message.slice(name.length)}` : message,
    );
    return { exitCode: ExitCode.badArguments, code: 'parameters', message: lines.join('\n') };
  }
  if (error instanceof UsageError) {
    return { exitCode: ExitCode.badArguments, code: 'parameters', message: error.message };
  }
  const exitCode = ExitCode.failed;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ContainerStartError) {
    return { exitCode, code: 'container_start', message };
  }
  if (error instanceof JSONRPCErrorException) {
    const code = RPC_CODES.get(error.code) ?? 'container';
    return { exitCode, code, message: message + advice(error.code) };
  }
  return { exitCode, code: error instanceof CommandError ? 'refused' : 'internal', message };
}

function advice(code: number): string {
  switch (code) {
    case ErrorCode.protocolMismatch:
      return '\nThe container was started by another version of Tiny Cats. Run "tiny-cats cool" to let it go, then try again.';
    case ErrorCode.busy:
      return '\n"tiny-cats stop" stops it, --queue waits for it. Another --outputs-dir has a container of its own.';
    default:
      return '';
  }
}
