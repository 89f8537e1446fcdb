import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as vscode from 'vscode';
import { MODAL_APP_FILE, exportModalApp } from '../../modalExport/exporter';
import { usualEntrypoint } from '../../modalExport/findEntrypoint';
import { appSettingsFrom } from '../../modalExport/fromSettings';
import { GPUS } from '../../targets/modal/gpus';
import type { Environment } from '../environment';
import { containerSettings } from '../settings';
import type { MessageDeps } from './messages';
import { offer } from './messages';

export interface ExportModalDeps extends MessageDeps {
  vs: Pick<typeof vscode, 'Uri' | 'commands' | 'window' | 'workspace'>;
  environment: Environment;
  /** Folder of the built files. */
  bundleDir: string;
}

/** Asks what trains and on which GPU, then writes `modal_app.py` in the workspace folder and shows it. */
export async function exportModal(deps: ExportModalDeps): Promise<void> {
  const { vs, environment, bundleDir } = deps;
  const folder = environment.folder;
  if (folder === undefined || !environment.isTrusted) {
    throw new Error(environment.obstacle);
  }
  const settings = environment.requireSettings();
  const entrypoint = await vs.window.showInputBox({
    title: 'Export Modal App: what trains',
    prompt: 'A function, a container class or a script of Python, relative to the workspace folder',
    placeHolder: 'src/train.py:train',
    value: usualEntrypoint(folder) ?? '',
    ignoreFocusOut: true,
  });
  if (entrypoint === undefined || entrypoint.trim() === '') {
    return;
  }
  const proposed = appSettingsFrom(settings.target, containerSettings(settings));
  const gpus = [proposed.gpu, ...GPUS.filter((kind) => kind !== proposed.gpu)];
  const gpu = await vs.window.showQuickPick(gpus, {
    title: 'Export Modal App: GPU',
    placeHolder: 'The kind of GPU that the app asks for',
  });
  if (gpu === undefined) {
    return;
  }
  const app = await exportModalApp(bundleDir, {
    folder,
    entrypoint: entrypoint.trim(),
    appFile: MODAL_APP_FILE,
    settings: { ...proposed, gpu },
  });
  const path = join(folder, MODAL_APP_FILE);
  if (!(await mayWrite(vs, path, app.text))) {
    return;
  }
  const uri = vs.Uri.file(path);
  await vs.workspace.fs.writeFile(uri, Buffer.from(app.text));
  await vs.window.showTextDocument(uri);
  if (app.notes.length > 0) {
    offer(deps, 'showInformationMessage', app.notes.join(' '), []);
  }
}

/** Asks before a file is replaced that says something else. */
async function mayWrite(vs: ExportModalDeps['vs'], path: string, text: string): Promise<boolean> {
  const present = await readFile(path, 'utf8').catch(() => undefined);
  if (present === undefined || present === text) {
    return true;
  }
  const replace = 'Replace';
  const answer = await vs.window.showWarningMessage(
    `${MODAL_APP_FILE} is there already and differs from what would be written.`,
    { modal: true },
    replace,
  );
  return answer === replace;
}
