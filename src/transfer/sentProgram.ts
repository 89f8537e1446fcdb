import type { Program } from '../protocol/program';
import { isUserProgram } from '../protocol/program';
import { REMOTE_PREFIX, SENT_PREFIX } from '../protocol/transfer';
import { sentName } from './sendFolder';

/** Folder of this machine that a program needs on the container's; undefined if it needs none. */
export function folderToSend(program: Program | undefined): string | undefined {
  const folder = program !== undefined && isUserProgram(program) ? program.folder : undefined;
  return folder?.startsWith(REMOTE_PREFIX) === true ? undefined : folder;
}

/**
 * The program as the container's machine has it: its folder among what was sent, and an interpreter of that machine.
 * @param interpreter path or name of Python there; empty: the container finds one
 */
export function programThere(program: Program, interpreter: string): Program {
  const folder = folderToSend(program);
  const there = {
    ...program,
    ...(folder === undefined ? {} : { folder: `${SENT_PREFIX}${sentName(folder)}` }),
  };
  return 'interpreter' in there && there.interpreter !== undefined ? { ...there, interpreter } : there;
}
