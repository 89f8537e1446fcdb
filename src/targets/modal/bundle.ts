/** Entry of dist/target-modal.js, which holds Modal's SDK. */
import { Bundle } from '../bundle';
import type { TargetDeps } from '../openTarget';
import type { ModalConfig } from './config';
import { LAYOUT, namesOf } from './layout';
import { ModalTarget } from './modalTarget';
import { Session } from './session';

export { modalProfiles } from './profiles';

export function createModalTarget(
  config: ModalConfig,
  { bundleDir, outputsDir, modalCredentials, slot, modalEnds: { layout = LAYOUT, connect } = {} }: TargetDeps,
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
