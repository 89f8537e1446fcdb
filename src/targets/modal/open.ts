import type { TargetDeps } from '../openTarget';
import type { Target } from '../target';
import type { ModalConfig } from './config';
import type { ModalProfile } from './profiles';

/** Loads what speaks to Modal, a bundle of its own: most users never need it. */
export async function openModalTarget(config: ModalConfig, deps: TargetDeps): Promise<Target> {
  const { createModalTarget } = await import('./bundle');
  return createModalTarget(config, deps);
}

/** The profiles of Modal's own configuration, without their secrets. */
export async function modalProfiles(): Promise<ModalProfile[]> {
  return (await import('./bundle')).modalProfiles();
}
