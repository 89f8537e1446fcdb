/** Entry of dist/target-docker.js. */
import { join } from 'node:path';
import { stateHome } from '../local/stateHome';
import type { TargetDeps } from '../openTarget';
import type { DockerConfig } from './config';
import { DockerTarget } from './dockerTarget';
import { namesOf } from './layout';
import { Ledger } from './ledger';

export function createDockerTarget(
  config: DockerConfig,
  { bundleDir, outputsDir, slot = 0 }: TargetDeps,
): DockerTarget {
  const names = namesOf(config.name, outputsDir, slot, config);
  const ledger = new Ledger(join(stateHome(), 'docker', `${names.container}.json`));
  return new DockerTarget({ config, bundleDir, names, slot, ledger });
}
