import type { Target } from '../target';
import { ContainerStartError } from '../target';
import type { DockerConfig } from './config';

/** @throws ContainerStartError if this version has no such targets */
export function openDockerTarget({ name }: DockerConfig): Promise<Target> {
  return Promise.reject(
    new ContainerStartError(`The target "${name}" is of kind docker, which this version does not have yet.`),
  );
}
