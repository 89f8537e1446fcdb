import { access } from 'node:fs/promises';
import { JSONRPCErrorException } from 'json-rpc-2.0';
import { ContainerClient } from '../client/containerClient';
import type { ContainerStatus } from '../protocol/container';
import type { ParameterValues, RecipeSpec } from '../protocol/parameters';
import type { Program } from '../protocol/program';
import type { ContainerOptions } from '../targets/target';
import { openTarget } from '../targets/openTarget';
import { ContainerStartError } from '../targets/target';
import type { PoolPlace } from '../sweep/beginSweep';
import { OutputsVolume } from '../volume/outputsVolume';
import type { CliContext } from './command';
import { CommandError } from './errors';
import type { Settings } from './settings';

/** A client of the volumes' container; the folders are made if they are missing. @throws ContainerStartError */
export function openClient(
  { bundleDir }: Pick<CliContext, 'bundleDir'>,
  settings: Settings,
): ContainerClient {
  const { target, outputsDir } = openTarget(settings.target, { bundleDir, ...settings });
  return new ContainerClient(target, new OutputsVolume(outputsDir), 'command line');
}

/**
 * Hands a client to `use`, connected if there is a container. For commands that start none: nothing is made
 * where there is no outputs volume, and then `use` gets no client.
 */
export async function withClient<T>(
  context: Pick<CliContext, 'bundleDir'>,
  settings: Settings,
  use: (client: ContainerClient | undefined) => Promise<T>,
): Promise<T> {
  if (settings.target.kind === 'local' && !(await exists(settings.outputsDir))) {
    return use(undefined);
  }
  const client = openClient(context, settings);
  try {
    return (await reached(client.connect())) ? await use(client) : await use(undefined);
  } finally {
    client.dispose();
  }
}

/** What a container is started with, for a recipe and its checked parameters. */
export function containerOptions(
  settings: Settings,
  recipe: RecipeSpec,
  params: ParameterValues,
  program: Program,
): ContainerOptions {
  return {
    engine: settings.engine,
    port: settings.port,
    settings: settings.container,
    hint: { recipe: recipe.name, params, program },
  };
}

/** What to tell the user whose container was warm already with another engine than the one now asked for. */
export function engineDifference(
  { engine: wanted }: Settings,
  status: ContainerStatus | undefined,
): string | undefined {
  const engine = status?.engine ?? '';
  return wanted === 'auto' || engine === '' || engine === wanted
    ? undefined
    : `The container was warm already and computes with "${engine}". For "${wanted}" run "tiny-cats cool" first.`;
}

/**
 * What reaching a container comes to.
 * @throws CommandError where the container does not answer, saying what to do; else what `attempt` was rejected with
 */
export async function reached<T>(attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    // The container's own words, or why there is none.
    if (error instanceof JSONRPCErrorException || error instanceof ContainerStartError) {
      throw error;
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`The container does not answer (${reason}). Run "tiny-cats cool" to end it.`);
  }
}

/** Whether there is anything at `path`. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Where a sweep and its volumes are; the folders are made if they are missing. @throws ContainerStartError */
export function sweepPlace({ bundleDir }: Pick<CliContext, 'bundleDir'>, settings: Settings): PoolPlace {
  const { target, outputsDir, dataDir } = settings;
  const opened = openTarget(target, { bundleDir, outputsDir, dataDir });
  return { bundleDir, outputsDir: target.kind === 'local' ? opened.outputsDir : outputsDir, dataDir };
}
