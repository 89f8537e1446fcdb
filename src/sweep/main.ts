/** Entry of the process that drives a sweep. It ends with the sweep; while it lives it is the only one. */
import { ContainerClient } from '../client/containerClient';
import { parse } from '../protocol/schema';
import { targetConfigSchema } from '../targets/config';
import { holdLock } from '../targets/local/fileLock';
import { sweepDir } from '../targets/local/paths';
import type { OpenedTarget } from '../targets/openTarget';
import { openTarget } from '../targets/openTarget';
import { OutputsVolume } from '../volume/outputsVolume';
import { SweepFiles } from '../volume/sweepFiles';
import type { DriverSecrets } from './driverOptions';
import {
  DRIVER_LOCK,
  DRIVER_OPTIONS_VARIABLE,
  driverOptionsSchema,
  driverSecretsSchema,
} from './driverOptions';
import { SweepDriver } from './sweepDriver';

/** What the process that started this one sent; nothing if it is gone. */
async function secrets(): Promise<DriverSecrets> {
  const sent = new Promise<unknown>((resolve) => {
    process.once('message', resolve);
    process.once('disconnect', () => resolve({ modal: null }));
    if (!process.connected) {
      resolve({ modal: null });
    }
  });
  return parse(driverSecretsSchema, await sent, 'secrets of a sweep');
}

async function main(): Promise<void> {
  const given: unknown = JSON.parse(process.env[DRIVER_OPTIONS_VARIABLE] ?? 'null');
  const { sweepId, bundleDir, outputsDir, dataDir } = parse(
    driverOptionsSchema,
    given,
    DRIVER_OPTIONS_VARIABLE,
  );
  const { modal } = await secrets();
  const release = await holdLock(sweepDir(sweepId), DRIVER_LOCK);
  if (release === undefined) {
    return;
  }
  try {
    const files = new SweepFiles(outputsDir);
    const record = await files.read(sweepId);
    if (record === undefined) {
      throw new Error(`${files.path(sweepId)} cannot be read`);
    }
    const config = parse(targetConfigSchema, record.targetConfig, `target of ${sweepId}`);
    const credentials = modal === null ? {} : { modalCredentials: () => Promise.resolve(modal) };
    const open = (slot: number): OpenedTarget =>
      openTarget(config, { bundleDir, outputsDir, dataDir, slot, ...credentials });
    const volume = new OutputsVolume(open(0).outputsDir);
    const openClient = (slot: number): ContainerClient =>
      new ContainerClient(open(slot).target, volume, 'sweep');
    await new SweepDriver({ files, volume, openClient }, record).run();
  } finally {
    await release();
  }
}

// The terminal or window that started it may close.
process.on('SIGHUP', () => undefined);
main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
