import { statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type * as vscode from 'vscode';
import { sentName } from '../../transfer/sendFolder';

type Vs = Pick<typeof vscode, 'Position' | 'Range' | 'Uri' | 'commands'> & {
  window: Pick<typeof vscode.window, 'showInformationMessage'>;
};

/**
 * Opens a file at a line: one of this machine, or the workspace's own where a run on another machine tells of the copy that
 * was sent there. Says so where it is neither.
 * @param line from 1 @param folder the workspace folder, if there is one
 */
export async function openLocation(
  vs: Vs,
  file: string,
  line: number,
  folder: string | undefined,
): Promise<void> {
  const path = [file, ...ownOf(file, folder)].find(isFile);
  if (path === undefined) {
    void vs.window.showInformationMessage(`${file} is not on this machine.`);
    return;
  }
  const start = new vs.Position(line - 1, 0);
  await vs.commands.executeCommand('vscode.open', vs.Uri.file(path), {
    selection: new vs.Range(start, start),
  });
}

/** The workspace's file that a file among what was sent is a copy of. */
function ownOf(file: string, folder: string | undefined): string[] {
  if (folder === undefined) {
    return [];
  }
  const [, ...within] = file.split(`/${sentName(folder)}/`);
  return within.length === 0 ? [] : [join(folder, ...within)];
}

function isFile(path: string): boolean {
  return isAbsolute(path) && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
