import { fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { SweepRecord } from '../protocol/sweep';
import { isSweepFinal } from '../protocol/sweep';
import { ensurePrivateDir } from '../targets/local/descriptor';
import { detachedEnvironment } from '../targets/local/detachedEnvironment';
import { isLocked } from '../targets/local/fileLock';
import { sweepDir } from '../targets/local/paths';
import { SweepFiles } from '../volume/sweepFiles';
import type { PoolPlace } from './beginSweep';
import type { DriverOptions, DriverSecrets } from './driverOptions';
import { DRIVER_LOCK, DRIVER_OPTIONS_VARIABLE } from './driverOptions';

/** Whether a process drives that sweep now. */
export async function isDriven(sweepId: string): Promise<boolean> {
  return isLocked(sweepDir(sweepId), DRIVER_LOCK);
}

/**
 * Sees to it that the sweep has a driver: a process that outlives this one. Of several that are started at once one
 * stays. @throws Error if none can be started
 */
export async function ensureDriver(
  { bundleDir, outputsDir, dataDir, modalCredentials }: PoolPlace,
  { sweepId, target }: Pick<SweepRecord, 'sweepId' | 'target'>,
): Promise<void> {
  if (await isDriven(sweepId)) {
    return;
  }
  const options: DriverOptions = { sweepId, bundleDir, outputsDir, dataDir };
  const secrets: DriverSecrets = { modal: (await modalCredentials?.(target)) ?? null };
  const dir = sweepDir(sweepId);
  await ensurePrivateDir(dir);
  const log = openSync(join(dir, 'driver.log'), 'a', 0o600);
  try {
    const child = fork(join(bundleDir, 'sweep.js'), [], {
      cwd: dir,
      detached: true,
      env: { ...detachedEnvironment(), [DRIVER_OPTIONS_VARIABLE]: JSON.stringify(options) },
      execArgv: [],
      stdio: ['ignore', log, log, 'ipc'],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    // Not in its environment, which others of this user could read, nor in a file.
    await new Promise<void>((resolve) => child.send(secrets, () => resolve()));
    if (child.connected) {
      child.disconnect();
    }
    child.unref();
  } finally {
    closeSync(log);
  }
}

/** Drivers for all sweeps of the volume that have not ended, e.g. after the machine went down. @returns their ids */
export async function reviveSweeps(place: PoolPlace): Promise<string[]> {
  const open = (await new SweepFiles(place.outputsDir).list()).filter((sweep) => !isSweepFinal(sweep));
  for (const sweep of open) {
    await ensureDriver(place, sweep);
  }
  return open.map(({ sweepId }) => sweepId);
}
