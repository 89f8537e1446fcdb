import { join } from 'node:path';
import type { ParameterValues } from '../../protocol/parameters';
import type { Program } from '../../protocol/program';
import { isUserProgram } from '../../protocol/program';
import { REMOTE_PREFIX, SENT_FOLDER, SENT_PREFIX, isSentPath } from '../../protocol/transfer';

/**
 * The parameters with paths of this machine: of what a client sent, and of what it named by `remote:`.
 * @param sent paths below the folder of what was sent, by parameter
 */
export function pathsHere(
  params: ParameterValues,
  sent: Readonly<Record<string, string>>,
  dataDir: string,
): ParameterValues {
  const here = { ...params };
  for (const [name, value] of Object.entries(here)) {
    const given = Object.hasOwn(sent, name) ? `${SENT_PREFIX}${sent[name] ?? ''}` : value;
    if (typeof given === 'string') {
      here[name] = pathHere(given, dataDir);
    }
  }
  return here;
}

/** The program with its folder on this machine. */
export function programHere(program: Program, dataDir: string): Program {
  return isUserProgram(program) ? { ...program, folder: pathHere(program.folder, dataDir) } : program;
}

/** Name of what was, or has yet to be, sent for the program; undefined if it is here anyway. */
export function sentFor(program: Program): string | undefined {
  return isUserProgram(program) && program.folder.startsWith(SENT_PREFIX)
    ? program.folder.slice(SENT_PREFIX.length)
    : undefined;
}

function pathHere(given: string, dataDir: string): string {
  if (given.startsWith(REMOTE_PREFIX)) {
    return given.slice(REMOTE_PREFIX.length);
  }
  const isSent = given.startsWith(SENT_PREFIX) && isSentPath(given.slice(SENT_PREFIX.length));
  return isSent ? join(dataDir, SENT_FOLDER, given.slice(SENT_PREFIX.length)) : given;
}
