import type { Descriptor } from './descriptor';
import { readDescriptor } from './descriptor';
import { containerDirs } from './paths';
import { isAlive } from './processIdentity';
import type { Elsewhere } from './startOptions';

/**
 * The containers of an outputs volume that live now, whichever slot they have.
 * @param outputsDir the volume's real path
 * @throws Error if a descriptor cannot be trusted or understood: whose runs are whose is not known then
 */
export async function livingContainers(outputsDir: string): Promise<Descriptor[]> {
  const descriptors = await Promise.all((await containerDirs(outputsDir)).map(readDescriptor));
  return descriptors.flatMap((descriptor) =>
    descriptor !== undefined && isAlive(descriptor.pid, descriptor.pidStartTime) ? [descriptor] : [],
  );
}

/**
 * Tells the runs of dead containers from those that one may be working on. A container is known before its first
 * run is, so that a run which was read before this is asked is not taken for a dead one's.
 */
export function mayBeLive(
  outputsDir: string,
  elsewhere: Elsewhere = { containerIds: [], asOf: Infinity },
): (run: { containerId: string; createdAt: string }) => Promise<boolean> {
  return async ({ containerId, createdAt }) =>
    elsewhere.containerIds.includes(containerId) ||
    Date.parse(createdAt) >= elsewhere.asOf ||
    (await livingContainers(outputsDir)).some((living) => living.containerId === containerId);
}
