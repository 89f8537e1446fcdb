import type { TargetDeps } from '../openTarget';
import type { Target } from '../target';
import { volumeKey } from '../volumeKey';
import type { SshConfig } from './config';
import { SshLink } from './sshLink';
import { SshTarget } from './sshTarget';

export function openSshTarget(config: SshConfig, deps: TargetDeps): Promise<Target> {
  const { bundleDir, outputsDir, ask, sshProgram = 'ssh' } = deps;
  const link = new SshLink(config, sshProgram, bundleDir, ask);
  return Promise.resolve(
    new SshTarget(config, { link, bundleDir, volumeKey: volumeKey(outputsDir), slot: deps.slot }),
  );
}
