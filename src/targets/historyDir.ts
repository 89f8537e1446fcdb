import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TargetConfig } from './config';
import { LOCAL_TARGET } from './config';

/** Folder in which the history of a target's runs is read here: the outputs volume itself, or its mirror. */
export function historyDir(target: Pick<TargetConfig, 'kind' | 'name'>, outputsDir: string): string {
  return target.kind === 'local' ? outputsDir : mirrorDir(outputsDir, target.name);
}

/** Folder of this side's copy of a remote target's history. */
export function mirrorDir(outputsDir: string, targetName: string): string {
  return join(mirrorsDir(outputsDir), targetName, 'outputs');
}

/** The folders in which the history of each target is read here: the outputs volume, and the mirrors that there are. */
export async function historyDirs(outputsDir: string): Promise<{ target: string; dir: string }[]> {
  // Without mirrors there is no such folder.
  const names = await readdir(mirrorsDir(outputsDir)).catch(() => []);
  return [
    { target: LOCAL_TARGET.name, dir: outputsDir },
    ...names.sort().map((target) => ({ target, dir: mirrorDir(outputsDir, target) })),
  ];
}

function mirrorsDir(outputsDir: string): string {
  return join(dirname(outputsDir), '.tiny-cats', 'targets');
}
