/** Entry of dist/target-modal.js, which holds Modal's SDK. */
import { Bundle } from '../bundle';
import type { TargetDeps } from '../openTarget';
import type { ModalConfig } from './config';
import type { SandboxLayout } from './layout';
import { LAYOUT, namesOf } from './layout';
import type { ModalTargetDeps } from './modalTarget';
import { ModalTarget } from './modalTarget';
import { Session } from './session';

export { modalProfiles } from './profiles';

/** What only a double of Modal needs otherwise. */
export interface Ends {
  layout?: SandboxLayout;
  connect?: NonNullable<ModalTargetDeps['connect']>;
}

export function createModalTarget(
  config: ModalConfig,
  { bundleDir, outputsDir, modalCredentials, slot }: TargetDeps,
  { layout = LAYOUT, connect }: Ends = {},
): ModalTarget {
  let bundle: Promise<Bundle> | undefined;
  return new ModalTarget({
    config,
    names: namesOf(config, outputsDir, layout, slot),
    layout,
    session: new Session(config, modalCredentials),
    bundle: () => (bundle ??= Bundle.read(bundleDir)),
    ...(connect === undefined ? {} : { connect }),
  });
}
