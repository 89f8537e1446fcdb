import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { basename, dirname } from 'node:path';
import type { TargetDeps } from '../openTarget';
import type { Target } from '../target';
import type { SshConfig } from './config';
import { SshLink } from './sshLink';
import { SshTarget } from './sshTarget';

export function openSshTarget(config: SshConfig, deps: TargetDeps): Promise<Target> {
  const { bundleDir, outputsDir, ask, sshProgram = 'ssh' } = deps;
  const link = new SshLink(config, sshProgram, bundleDir, ask);
  return Promise.resolve(new SshTarget(config, { link, bundleDir, volumeKey: volumeKey(outputsDir) }));
}

/** Name of the volumes of one workspace of one machine, readable and safe as a folder's name. */
function volumeKey(outputsDir: string): string {
  const readable = basename(dirname(outputsDir))
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[-.]+/, '')
    .slice(0, 32);
  const key = createHash('sha256').update(`${hostname()}\0${outputsDir}`).digest('hex').slice(0, 12);
  return readable === '' ? key : `${readable}-${key}`;
}
