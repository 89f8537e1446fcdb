import { access } from 'node:fs/promises';
import { ContainerClient } from '../client/containerClient';
import { LocalTarget } from '../targets/local/localTarget';
import type { ParameterValues, RecipeSpec } from '../protocol/parameters';
import type { ContainerOptions } from '../targets/target';
import { OutputsVolume } from '../volume/outputsVolume';
import type { CliContext } from './command';
import type { Settings } from './settings';

/** A client of the volumes' container; the folders are made if they are missing. @throws ContainerStartError */
export function openClient(
  { bundleDir }: Pick<CliContext, 'bundleDir'>,
  settings: Settings,
): ContainerClient {
  const { outputsDir, dataDir } = settings;
  const target = LocalTarget.open({ bundleDir, outputsDir, dataDir });
  return new ContainerClient(target, new OutputsVolume(target.outputsDir), 'command line');
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
  if (!(await exists(settings.outputsDir))) {
    return use(undefined);
  }
  const client = openClient(context, settings);
  try {
    return (await client.connect()) ? await use(client) : await use(undefined);
  } finally {
    client.dispose();
  }
}

/** What a container is started with, for a recipe and its checked parameters. */
export function containerOptions(
  settings: Settings,
  recipe: RecipeSpec,
  params: ParameterValues,
): ContainerOptions {
  return {
    engine: settings.engine,
    port: settings.port,
    settings: settings.container,
    hint: { recipe: recipe.name, params },
  };
}

/** Whether there is anything at `path`. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
