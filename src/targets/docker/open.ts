import type { TargetDeps } from '../openTarget';
import type { Target } from '../target';
import type { DockerConfig } from './config';

/** Loads what speaks to engines, a bundle of its own: most users never need it. */
export async function openDockerTarget(config: DockerConfig, deps: TargetDeps): Promise<Target> {
  const { createDockerTarget } = await import('./bundle');
  return createDockerTarget(config, deps);
}
