import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type * as vscode from 'vscode';

/** Opens a file of this machine at a line. Does nothing where there is no such file. @param line from 1 */
export async function openLocation(
  vs: Pick<typeof vscode, 'Position' | 'Range' | 'Uri' | 'commands'>,
  file: string,
  line: number,
): Promise<void> {
  if (!isAbsolute(file) || statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    return;
  }
  const start = new vs.Position(line - 1, 0);
  await vs.commands.executeCommand('vscode.open', vs.Uri.file(file), {
    selection: new vs.Range(start, start),
  });
}
