import { access, realpath } from 'node:fs/promises';
import { ContainerClient } from '../../client/containerClient';
import { readDescriptor } from '../../targets/local/descriptor';
import { containerDir } from '../../targets/local/paths';
import { mirrorDir } from '../../targets/historyDir';
import type { TargetDeps } from '../../targets/openTarget';
import { openTarget } from '../../targets/openTarget';
import { OutputsVolume } from '../../volume/outputsVolume';
import type { HostSettings } from '../settings';

/** What a target needs of VS Code. */
export type HostTargetDeps = Pick<TargetDeps, 'bundleDir' | 'ask' | 'modalCredentials'>;

/**
 * A client for the workspace's container. Makes the volumes' folders if they are missing.
 * @throws ContainerStartError if a folder cannot be made or written
 */
export function openClient(
  settings: Pick<HostSettings, 'target' | 'outputsDir' | 'dataDir'> | undefined,
  deps: HostTargetDeps,
): ContainerClient {
  if (settings === undefined) {
    throw new Error('Open a folder first: runs and checkpoints are kept in it.');
  }
  const { outputsDir: outputs, dataDir } = settings;
  const { target, outputsDir } = openTarget(settings.target, { ...deps, outputsDir: outputs, dataDir });
  return new ContainerClient(target, new OutputsVolume(outputsDir), 'VS Code');
}

/** Whether a container may live for this workspace, or has died without saying so. Makes and changes nothing. */
export async function mayHaveContainer(settings: HostSettings | undefined): Promise<boolean> {
  if (settings === undefined) {
    return false;
  }
  const { target, outputsDir } = settings;
  try {
    if (target.kind !== 'local') {
      // Other machines are not contacted where nothing ever ran.
      await access(mirrorDir(outputsDir, target.name));
      return true;
    }
    return (await readDescriptor(containerDir(await realpath(outputsDir)))) !== undefined;
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing) {
      return false;
    }
    throw error;
  }
}
