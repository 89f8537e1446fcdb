import * as v from 'valibot';
import { commonOptions } from '../commonOptions';

const text = (what: string) => v.pipe(v.string(`has to be ${what}`), v.nonEmpty(`has to be ${what}`));

/** A container of Docker Engine or Podman. */
export const dockerConfigSchema = v.strictObject({
  kind: v.literal('docker'),
  ...commonOptions,
  engine: v.optional(v.picklist(['docker', 'podman', 'auto'], 'has to be docker, podman or auto'), 'auto'),
  /** Path or address of the engine's API. */
  socket: v.optional(text('the address of a socket')),
  /** Docker context whose address to take. */
  context: v.optional(text('the name of a Docker context')),
  /** Without one it is built from the Containerfile that comes along. */
  image: v.optional(text('the name of an image')),
  /** `auto`: all where there are any. Others are ids as the NVIDIA runtime or CDI names them. */
  gpu: v.optional(text('none, all, auto or ids of GPUs'), 'auto'),
  memoryMiB: v.optional(v.pipe(v.number('has to be a number of MiB'), v.minValue(64))),
  cpus: v.optional(v.pipe(v.number('has to be a number of processors'), v.minValue(0.1))),
  /** Names of volumes. */
  outputsVolume: v.optional(text('the name of a volume')),
  dataVolume: v.optional(text('the name of a volume')),
});
export type DockerConfig = v.InferOutput<typeof dockerConfigSchema>;
