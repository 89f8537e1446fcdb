import { dirname, join } from 'node:path';
import type { TargetConfig } from './config';

/** Folder in which the history of a target's runs is read here: the outputs volume itself, or its mirror. */
export function historyDir(target: Pick<TargetConfig, 'kind' | 'name'>, outputsDir: string): string {
  return target.kind === 'local' ? outputsDir : mirrorDir(outputsDir, target.name);
}

/** Folder of this side's copy of a remote target's history. */
export function mirrorDir(outputsDir: string, targetName: string): string {
  return join(dirname(outputsDir), '.tiny-cats', 'targets', targetName, 'outputs');
}
