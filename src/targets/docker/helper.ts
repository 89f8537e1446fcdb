import type { AgentExec } from '../agent/agentClient';
import type { Bundle } from '../bundle';
import type { ContainerSpec } from './containerSpec';
import { createAndStart } from './create';
import type { Engine } from './engine';
import { runIn } from './exec';
import { findImage } from './image';
import { INSIDE } from './layout';
import { remove } from './presence';

/** It ends by itself, should nobody be left to end it. */
const IDLE_PROGRAM = 'process.on("SIGTERM",()=>process.exit());setTimeout(()=>{},120000)';

export interface HelperPlace {
  engine: Engine;
  image: string;
  code: Bundle;
  /** That of the container whose volumes these are: while there is a helper, no container can start, and the other way round. */
  name: string;
  volumes: ContainerSpec['volumes'];
  labels: ContainerSpec['labels'];
}

/**
 * Runs the agent in a short-lived container on the volumes of one that is gone.
 * @returns undefined if the image is not there: nothing is pulled for it
 * @throws NameTaken if the volumes have a container again, or another window's helper
 */
export async function withHelper<T>(
  place: HelperPlace,
  work: (exec: AgentExec) => Promise<T>,
): Promise<T | undefined> {
  const { engine, code, image, name, volumes, labels } = place;
  if ((await findImage(engine, image)) === undefined) {
    return undefined;
  }
  const spec: ContainerSpec = {
    name,
    image,
    entrypoint: 'node',
    args: ['-e', IDLE_PROGRAM],
    labels,
    env: {},
    volumes,
    gpu: 'none',
    init: true,
    isTransient: true,
  };
  const id = await createAndStart(engine, spec, code);
  try {
    return await work(agentIn(engine, id));
  } finally {
    await remove(engine, id);
  }
}

/** The agent of a running container. */
function agentIn(engine: Engine, containerId: string): AgentExec {
  return async (command, input) => {
    const program = ['node', `${INSIDE.code}/container.js`, 'agent', command];
    const { output, errors, exitCode } = await runIn(engine, containerId, program, input);
    if (output === '') {
      throw new Error(`the agent ended with exit code ${exitCode}: ${errors.trim()}`);
    }
    return output;
  };
}
