import { join } from 'node:path';
import type { TargetConfig } from '../../../src/targets/config';
import { parseTargets } from '../../../src/targets/config';

/** Where the target of `box` keeps its things. */
export function farFolder(root: string): string {
  return join(root, "far side 'ü'");
}

/** The machine behind an sshd of the tests, as the settings would name it. */
export function box(root: string): TargetConfig {
  const [config] = parseTargets([{ name: 'box', kind: 'ssh', host: 'box', folder: farFolder(root) }]);
  if (config === undefined) {
    throw new Error('no target');
  }
  return config;
}
