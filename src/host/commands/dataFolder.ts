import { basename } from 'node:path';
import type * as vscode from 'vscode';
import { SAMPLE_DATA_SET } from '../../protocol/recipes';
import type { Environment } from '../environment';
import { shortenFolder } from '../parameterStore';
import { findImageFolders } from './findImageFolders';

export interface DataFolderDeps {
  vs: Pick<typeof vscode, 'QuickPickItemKind' | 'Uri' | 'window'>;
  environment: Environment;
}

type Choice = vscode.QuickPickItem & { folder?: string; browse?: boolean };

/**
 * Asks what to train on: the sample, a folder of the workspace that looks right, or any other.
 * @returns a value for `data_dir`; undefined if the user did not say
 */
export async function askDataFolder({ vs, environment }: DataFolderDeps): Promise<string | undefined> {
  const root = environment.folder;
  const chosen = await vs.window.showQuickPick(choices(vs, root), {
    title: 'Tiny Cats: what to train on',
    placeHolder: 'A folder of images with one sub-folder for each class',
    matchOnDescription: true,
  });
  if (chosen?.browse === true) {
    return browseDataFolder({ vs, environment });
  }
  return chosen?.folder;
}

/** Asks for a folder by the dialog. @returns its path, relative to the workspace folder if it is inside */
export async function browseDataFolder({ vs, environment }: DataFolderDeps): Promise<string | undefined> {
  const root = environment.folder;
  const [uri] =
    (await vs.window.showOpenDialog({
      canSelectFiles: false,
      canSelectFolders: true,
      title: 'Choose a folder of images with one sub-folder for each class',
      openLabel: 'Use This Folder',
      ...(root === undefined ? {} : { defaultUri: vs.Uri.file(root) }),
    })) ?? [];
  return uri === undefined ? undefined : root === undefined ? uri.fsPath : shortenFolder(root, uri.fsPath);
}

async function choices(vs: DataFolderDeps['vs'], root: string | undefined): Promise<Choice[]> {
  const folders = root === undefined ? [] : await findImageFolders(root);
  const always: Choice[] = [
    { label: '$(folder-opened) Choose a folder of images…', browse: true },
    {
      label: '$(sparkle) Use the sample',
      description: 'drawn little cats, made on the spot',
      folder: SAMPLE_DATA_SET,
    },
  ];
  if (root === undefined || folders.length === 0) {
    return always;
  }
  return [
    ...always,
    { label: 'In this workspace', kind: vs.QuickPickItemKind.Separator },
    ...folders.map((folder) => ({
      label: `$(folder) ${basename(folder)}`,
      description: shortenFolder(root, folder),
      folder: shortenFolder(root, folder),
    })),
  ];
}
