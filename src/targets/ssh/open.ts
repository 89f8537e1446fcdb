import type { Target } from '../target';
import { ContainerStartError } from '../target';
import type { SshConfig } from './config';

/** @throws ContainerStartError if this version has no such targets */
export function openSshTarget({ name }: SshConfig): Promise<Target> {
  return Promise.reject(
    new ContainerStartError(`The target "${name}" is of kind ssh, which this version does not have yet.`),
  );
}
