import { realpath } from 'node:fs/promises';
import { ContainerClient } from '../../client/containerClient';
import { readDescriptor } from '../../targets/local/descriptor';
import { LocalTarget } from '../../targets/local/localTarget';
import { containerDir } from '../../targets/local/paths';
import { OutputsVolume } from '../../volume/outputsVolume';
import type { HostSettings } from '../settings';

/**
 * A client for the workspace's container. Makes the volumes' folders if they are missing.
 * @param bundleDir folder of container.js and trainer.js
 * @throws ContainerStartError if a folder cannot be made or written
 */
export function openClient(settings: HostSettings | undefined, bundleDir: string): ContainerClient {
  if (settings === undefined) {
    throw new Error('Open a folder first: runs and checkpoints are kept in it.');
  }
  const { outputsDir, dataDir } = settings;
  const target = LocalTarget.open({ bundleDir, outputsDir, dataDir });
  return new ContainerClient(target, new OutputsVolume(target.outputsDir), 'VS Code');
}

/** Whether a container may live for this workspace, or has died without saying so. Makes and changes nothing. */
export async function mayHaveContainer(settings: HostSettings | undefined): Promise<boolean> {
  if (settings === undefined) {
    return false;
  }
  try {
    return (await readDescriptor(containerDir(await realpath(settings.outputsDir)))) !== undefined;
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing) {
      return false;
    }
    throw error;
  }
}
