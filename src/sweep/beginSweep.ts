import type { EngineChoice } from '../protocol/container';
import type { ParameterValues, RecipeSpec } from '../protocol/parameters';
import type { Program } from '../protocol/program';
import type { ContainerSettings } from '../protocol/rpc';
import type { SweepAxis, SweepRecord } from '../protocol/sweep';
import { SWEEP_RECORD_VERSION, planTrials } from '../protocol/sweep';
import type { TargetConfig } from '../targets/config';
import type { CredentialStore } from '../targets/modal/credentials';
import { SweepFiles } from '../volume/sweepFiles';
import { ensureDriver } from './launch';

export interface SweepRequest {
  recipe: RecipeSpec;
  program: Program;
  /** The name that its runs have: of the user's own code not the entrypoint, which is the recipe's. */
  runsAs: string;
  /** Parameters that all trainings share. */
  params: ParameterValues;
  axes: readonly SweepAxis[];
  /** Most containers at a time. */
  jobs: number;
  target: TargetConfig;
  engine: EngineChoice;
  settings: ContainerSettings;
}

export interface PoolPlace {
  /** Folder of container.js and sweep.js. */
  bundleDir: string;
  /** The volumes on this machine. */
  outputsDir: string;
  dataDir: string;
  /** Credentials for Modal that are kept beside its own configuration. */
  modalCredentials?: CredentialStore;
}

/**
 * Stores a new sweep and starts what drives it. Returns before the first training has begun.
 * @throws ParameterError if one of its trainings could not be asked for
 * @throws Error if the volume cannot be written
 */
export async function beginSweep(
  { recipe, runsAs, params, axes, target, ...request }: SweepRequest,
  place: PoolPlace,
): Promise<SweepRecord> {
  const now = new Date();
  const record: SweepRecord = {
    schemaVersion: SWEEP_RECORD_VERSION,
    sweepId: SweepFiles.newId(now),
    recipe: runsAs,
    ...planTrials(recipe, params, axes),
    axes: [...axes],
    target: target.name,
    targetConfig: target,
    ...request,
    state: 'running',
    createdAt: now.toISOString(),
  };
  await new SweepFiles(place.outputsDir).write(record);
  await ensureDriver(place, record);
  return record;
}
