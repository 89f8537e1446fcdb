import type { Elsewhere, StartOptions } from '../local/startOptions';
import type { ContainerOptions } from '../target';
import { INSIDE } from './layout';

/** What a container finds in `INSIDE.options`: a file, since arguments and environment are shown to whoever may ask the engine. */
export function startOptionsText(
  target: string,
  { engine, settings, hint }: ContainerOptions,
  elsewhere: Elsewhere,
): string {
  const options: StartOptions = {
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
    settings,
    hint,
    spawnedAt: Date.now(),
  };
  return JSON.stringify(options);
}
