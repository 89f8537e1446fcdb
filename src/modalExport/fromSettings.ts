import type { ContainerSettings } from '../protocol/rpc';
import { DEFAULT_POLICY, withSettings } from '../protocol/rpc';
import type { TargetConfig } from '../targets/config';
import type { AppSettings } from './appSettings';

export const DEFAULT_APP = 'tiny-cats';
const DEFAULT_GPU = 'T4';
const DEFAULT_VOLUMES = { outputsVolume: 'cats-model-outputs', dataVolume: 'cats-dataset' };

/** What an app is written with where nobody says otherwise: as the chosen target has it if that is on Modal. */
export function appSettingsFrom(target: TargetConfig, container: ContainerSettings): AppSettings {
  const policy = withSettings(DEFAULT_POLICY, container);
  return {
    app: DEFAULT_APP,
    gpu: DEFAULT_GPU,
    ...DEFAULT_VOLUMES,
    ...(target.kind === 'modal'
      ? {
          app: target.app,
          gpu: target.gpu,
          outputsVolume: target.outputsVolume,
          dataVolume: target.dataVolume,
        }
      : {}),
    retries: policy.retries,
    timeoutMs: policy.runTimeoutMs,
    scaledownWindowMs: policy.scaledownWindowMs,
    snapshot: 'memory',
  };
}
