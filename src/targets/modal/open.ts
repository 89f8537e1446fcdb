import type { Target } from '../target';
import { ContainerStartError } from '../target';
import type { ModalConfig } from './config';

/** @throws ContainerStartError if this version has no such targets */
export function openModalTarget({ name }: ModalConfig): Promise<Target> {
  return Promise.reject(
    new ContainerStartError(`The target "${name}" is of kind modal, which this version does not have yet.`),
  );
}
