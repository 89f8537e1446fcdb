import { ContainerConnection } from '../client/connection';
import type { ContainerState } from '../protocol/container';
import type { Target } from './target';

/** What a target is found to be: `cold` where it answers and has no container. */
export type TargetState = 'cold' | ContainerState | 'unreachable';

export interface TargetLook {
  state: TargetState;
  /** Why it is unreachable, or what computes there. */
  detail: string;
}

/** How long a target may take to answer. */
export const LOOK_TIMEOUT_MS = 10_000;

/** Looks what is there; starts and changes nothing, and takes no longer than the limit. Never rejects. */
export async function lookAtTarget(target: Target, limitMs = LOOK_TIMEOUT_MS): Promise<TargetLook> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<TargetLook>((resolve) => {
    timer = setTimeout(
      () => resolve({ state: 'unreachable', detail: `no answer within ${limitMs / 1000} s` }),
      limitMs,
    );
  });
  try {
    return await Promise.race([look(target), limit]);
  } finally {
    clearTimeout(timer);
  }
}

async function look(target: Target): Promise<TargetLook> {
  try {
    const endpoint = await target.find();
    if (endpoint === undefined) {
      return { state: 'cold', detail: '' };
    }
    const { connection, status } = await ContainerConnection.open(endpoint, 'targets');
    connection.close();
    return { state: status.state, detail: [status.engine, status.device].filter(Boolean).join(', ') };
  } catch (error) {
    return { state: 'unreachable', detail: error instanceof Error ? error.message : String(error) };
  }
}
