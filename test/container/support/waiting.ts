import type { ContainerClient } from '../../../src/client/containerClient';
import type { ContainerStatus } from '../../../src/protocol/container';
import { isAlive, processStartTime } from '../../../src/targets/local/processIdentity';

/** Looks again and again until `look` finds something; mocha's time limit ends a wait that is in vain. */
export async function until<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function untilTrue(look: () => boolean | Promise<boolean>): Promise<void> {
  await until(async () => ((await look()) ? true : undefined));
}

/** Resolves with the first status that fits, the present one included. */
export async function untilStatus(
  client: ContainerClient,
  fits: (status: ContainerStatus) => boolean,
): Promise<ContainerStatus> {
  return until(() => (client.status !== undefined && fits(client.status) ? client.status : undefined));
}

/** Resolves once the client knows that it has no container. */
export async function untilCold(client: ContainerClient): Promise<void> {
  await untilTrue(() => client.link === 'none' && client.status === undefined);
}

/** Watches a process. @returns resolves once it has ended */
export function endOf(pid: number): () => Promise<void> {
  const startTime = processStartTime(pid);
  return () => untilTrue(() => !isAlive(pid, startTime));
}
