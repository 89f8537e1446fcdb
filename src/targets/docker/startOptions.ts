import type { Elsewhere, StartOptions } from '../local/startOptions';
import type { ContainerOptions } from '../target';
import { INSIDE } from './layout';

/** What a container is started with, or restored: in a file, since arguments and environment are shown to whoever may ask the engine. */
export function startOptions(
  target: string,
  { engine, settings, hint }: ContainerOptions,
  elsewhere: Elsewhere,
): StartOptions {
  return {
    outputsDir: INSIDE.outputs,
    dataDir: INSIDE.data,
    containerDir: INSIDE.container,
    enginesDir: INSIDE.engines,
    target,
    engine,
    port: INSIDE.port,
    // Only the loopback address of the engine's machine is published.
    listen: { on: 'host', host: '0.0.0.0' },
    elsewhere,
    thawDir: INSIDE.thawDir,
    settings,
    hint,
    spawnedAt: Date.now(),
  };
}
