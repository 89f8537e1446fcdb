import { setTimeout as delay } from 'node:timers/promises';
import type { Endpoint } from '../target';
import { ContainerStartError } from '../target';
import { endpointOf, isHealthy } from './descriptor';
import type { Engine } from './engine';
import type { Present } from './presence';
import { inspect, logTail } from './presence';
import { messageOf } from './problems';

/** How long a new container may take until it listens. */
export const LISTEN_TIMEOUT_MS = 30_000;
export const POLL_MS = 50;

/**
 * Waits until a container that was started listens.
 * @param ended called if it ends before
 * @throws ContainerStartError if it takes too long
 */
export async function reached(
  engine: Engine,
  id: string,
  ended: (present: Present | undefined) => undefined | Promise<never>,
): Promise<Endpoint | undefined> {
  const until = performance.now() + LISTEN_TIMEOUT_MS;
  let problem = '';
  while (performance.now() < until) {
    const present = await inspect(engine, id);
    if (present?.state !== 'running') {
      return ended(present);
    }
    // It may have ended since: the next look tells.
    const endpoint = await endpointOf(engine, present).catch((error: unknown) => {
      problem = `${messageOf(error)}. `;
      return undefined;
    });
    if (endpoint !== undefined && (await isHealthy(endpoint))) {
      return endpoint;
    }
    await delay(POLL_MS);
  }
  throw new ContainerStartError(
    `The container did not listen within ${LISTEN_TIMEOUT_MS / 1000} s. ${problem}${await logTail(engine, id)}`,
  );
}
