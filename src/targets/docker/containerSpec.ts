import type { ContainerCreateOptions, DeviceRequest } from 'dockerode';
import type { GpuChoice } from './gpu';
import { CDI_KIND } from './gpu';

const MIB = 1024 * 1024;
/** What PyTorch's loader processes share; the engines' default of 64 MiB ends them with a bus error. It is a limit only. */
const SHARED_MEMORY_BYTES = 1024 * MIB;
const LOOPBACK = '127.0.0.1';
/** How long an engine waits after SIGTERM: a run finishes its step and saves a checkpoint meanwhile. */
const STOP_TIMEOUT_S = 30;

/** A container as both engines can make it. */
export interface ContainerSpec {
  name: string;
  image: string;
  entrypoint: string;
  args: readonly string[];
  labels: Readonly<Record<string, string>>;
  env: Readonly<Record<string, string>>;
  volumes: readonly { name: string; path: string }[];
  /** Published on the loopback address of the engine's machine; `host` 0 is any free port. */
  port?: { inside: number; host: number };
  gpu: GpuChoice;
  memoryMiB?: number;
  cpus?: number;
  /** A small PID 1 of the engine that hands on signals and reaps. */
  init: boolean;
  /** The engine removes it when it ends. */
  isTransient: boolean;
}

/** For POST /containers/create */
export function forDocker(spec: ContainerSpec): ContainerCreateOptions {
  const { port, memoryMiB, cpus, env } = spec;
  return {
    name: spec.name,
    Image: spec.image,
    Entrypoint: [spec.entrypoint],
    Cmd: [...spec.args],
    Labels: { ...spec.labels },
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    StopTimeout: STOP_TIMEOUT_S,
    ...(port === undefined ? {} : { ExposedPorts: { [`${port.inside}/tcp`]: {} } }),
    HostConfig: {
      Init: spec.init,
      AutoRemove: spec.isTransient,
      ShmSize: SHARED_MEMORY_BYTES,
      SecurityOpt: ['no-new-privileges'],
      Mounts: spec.volumes.map(({ name, path }) => ({ Type: 'volume', Source: name, Target: path })),
      ...(port === undefined
        ? {}
        : {
            PortBindings: {
              [`${port.inside}/tcp`]: [
                { HostIp: LOOPBACK, HostPort: port.host === 0 ? '' : String(port.host) },
              ],
            },
          }),
      // Without swap beyond it: a container that outgrows it ends, and says so, rather than crawls.
      ...(memoryMiB === undefined ? {} : { Memory: memoryMiB * MIB, MemorySwap: memoryMiB * MIB }),
      ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
      ...(spec.gpu === 'none' ? {} : { DeviceRequests: [deviceRequest(spec.gpu)] }),
    },
  };
}

function deviceRequest(gpu: Exclude<GpuChoice, 'none'>): DeviceRequest {
  const which = gpu === 'all' ? { Count: -1 } : { DeviceIDs: [...gpu] };
  return { Driver: '', Capabilities: [['gpu']], ...which };
}

/** CPU time is shared out in periods of this many microseconds. */
const CPU_PERIOD_US = 100_000;

/**
 * For POST /libpod/containers/create. Podman's copy of Docker's API passes over requests for devices, and knows no CDI in
 * older versions.
 * @param initPath the engine's small PID 1 where it is not where Podman looks for it itself
 */
export function forPodman(spec: ContainerSpec, initPath: string | undefined): object {
  const { port, memoryMiB, cpus, gpu } = spec;
  const memory = memoryMiB === undefined ? {} : { memory: { limit: memoryMiB * MIB, swap: memoryMiB * MIB } };
  const cpu =
    cpus === undefined ? {} : { cpu: { quota: Math.round(cpus * CPU_PERIOD_US), period: CPU_PERIOD_US } };
  const devices = gpu === 'none' ? [] : gpu === 'all' ? ['all'] : gpu;
  return {
    name: spec.name,
    image: spec.image,
    entrypoint: [spec.entrypoint],
    command: spec.args,
    labels: spec.labels,
    env: spec.env,
    init: spec.init,
    ...(spec.init && initPath !== undefined ? { init_path: initPath } : {}),
    remove: spec.isTransient,
    stop_timeout: STOP_TIMEOUT_S,
    shm_size: SHARED_MEMORY_BYTES,
    no_new_privileges: true,
    volumes: spec.volumes.map(({ name, path }) => ({ Name: name, Dest: path })),
    ...(port === undefined
      ? {}
      : {
          portmappings: [
            {
              container_port: port.inside,
              host_ip: LOOPBACK,
              host_port: port.host,
              protocol: 'tcp',
            },
          ],
        }),
    resource_limits: { ...memory, ...cpu },
    devices: devices.map((device) => ({ path: `${CDI_KIND}=${device}` })),
  };
}
