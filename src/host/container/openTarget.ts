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
export function openClient(settings: HostSettings, bundleDir: string): ContainerClient {
  const { outputsDir, dataDir } = settings;
  const target = LocalTarget.open({ bundleDir, outputsDir, dataDir });
  return new ContainerClient(target, new OutputsVolume(target.outputsDir), 'VS Code');
}

/** Whether a container may live for this workspace, or has died without saying so. Makes and changes nothing. */
export async function mayHaveContainer({ outputsDir }: HostSettings): Promise<boolean> {
  try {
    return (await readDescriptor(containerDir(await realpath(outputsDir)))) !== undefined;
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing) {
      return false;
    }
    throw error;
  }
}
