import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type * as vscode from 'vscode';
import { SETTINGS_SECTION } from '../contributions';
import { PYTHON_SCRIPT, TYPESCRIPT_SCRIPT } from './scriptTexts';

export interface CreateScriptDeps {
  vs: Pick<typeof vscode, 'ConfigurationTarget' | 'Uri' | 'window' | 'workspace'>;
  /** Path of the workspace folder. */
  folder: string;
}

const LANGUAGES = [
  { label: 'Python', description: 'train.py', extension: 'py', text: PYTHON_SCRIPT, name: ':Trainer.train' },
  { label: 'TypeScript', description: 'train.ts', extension: 'ts', text: TYPESCRIPT_SCRIPT, name: '' },
];

/**
 * Writes a small working training script, opens it, and makes it what is trained. Writes over nothing.
 * @param language `python` or `typescript`; asked for if it is not given
 */
export async function createScript({ vs, folder }: CreateScriptDeps, language?: unknown): Promise<void> {
  const given = LANGUAGES.find(({ label }) => label.toLowerCase() === language);
  const chosen =
    given ?? (await vs.window.showQuickPick(LANGUAGES, { placeHolder: 'Language of the script' }));
  if (chosen === undefined) {
    return;
  }
  const file = freeName(folder, chosen.extension);
  const uri = vs.Uri.file(join(folder, file));
  await vs.workspace.fs.writeFile(uri, Buffer.from(chosen.text));
  await vs.workspace
    .getConfiguration(SETTINGS_SECTION, uri)
    .update('entrypoint', file + chosen.name, vs.ConfigurationTarget.Workspace);
  await vs.window.showTextDocument(uri);
}

function freeName(folder: string, extension: string): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? `train.${extension}` : `train_${number}.${extension}`;
    if (!existsSync(join(folder, name))) {
      return name;
    }
  }
}
