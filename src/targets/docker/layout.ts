/** Paths inside a container, and how it is known to be ours from outside. */
import { createHash } from 'node:crypto';
import { volumeKey } from '../local/paths';

const HOME = '/opt/tiny-cats';
const OUTPUTS = '/outputs';

export const INSIDE = {
  outputs: OUTPUTS,
  data: '/data',
  code: `${HOME}/code`,
  /** What the container is started with. */
  options: `${HOME}/start.json`,
  /** Where it finds how to go on after a snapshot. */
  thawDir: HOME,
  /** What is known of its snapshot. */
  snapshot: `${HOME}/snapshot.json`,
  /** Every user may write there. */
  state: `${HOME}/state`,
  /** Where the container's own processes look for it, too. */
  container: `${HOME}/state/containers/${volumeKey(OUTPUTS)}`,
  engines: `${HOME}/state/engines`,
  port: 8000,
} as const;

export const LABEL = {
  /** `container` or `helper`. */
  role: 'tiny-cats.role',
  /** Name of the outputs volume; it has one container for each slot. */
  outputs: 'tiny-cats.outputs',
  slot: 'tiny-cats.slot',
  /** Name of the target. */
  target: 'tiny-cats.target',
  /** Hash of all that it was made from. */
  make: 'tiny-cats.make',
} as const;

/** Names of what a target has in its engine. */
export interface Names {
  container: string;
  outputsVolume: string;
  dataVolume: string;
}

/**
 * @param workspace what tells this workspace from others: the real path of its outputs folder
 * @param given names of volumes that the target sets
 */
export function namesOf(
  target: string,
  workspace: string,
  slot: number,
  given: { outputsVolume?: string | undefined; dataVolume?: string | undefined },
): Names {
  const outputsVolume = given.outputsVolume ?? `tiny-cats-outputs-${shortHash(`${target}\0${workspace}`)}`;
  return {
    // One outputs volume has one container, whichever workspace or target names it.
    container: `tiny-cats-${shortHash(outputsVolume)}${slot === 0 ? '' : `-${slot}`}`,
    outputsVolume,
    dataVolume: given.dataVolume ?? 'tiny-cats-data',
  };
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
