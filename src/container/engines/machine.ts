import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { physicalCores, workerCount } from '../parallel/workerCount';
import { inspectEngines, type InspectOptions } from './inspect';
import type { MachineReport } from './machineReport';
import { wasmFeatures } from './wasm/kernelModule';

const TIMEOUT_MS = 10_000;

/** Looks at this machine, and tries every engine on it. */
export async function inspectMachine(options: InspectOptions): Promise<MachineReport> {
  const engines = await inspectEngines(options);
  const threads = availableParallelism();
  const { simd, relaxedSimd } = wasmFeatures();
  const gpus = await nvidiaGpus();
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: physicalCores() ?? threads,
    threads,
    workers: workerCount(0),
    memoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    wasmSimd: simd,
    wasmRelaxedSimd: relaxedSimd,
    nvidiaDriver: (await driverOfKernel()) ?? gpus[0]?.driver ?? null,
    nvidiaGpus: gpus.map(({ name }) => name),
    engines,
  };
}

/** Version of the NVIDIA driver by what the kernel's module tells; undefined without it. */
async function driverOfKernel(): Promise<string | undefined> {
  try {
    const text = await readFile('/proc/driver/nvidia/version', 'utf8');
    return /Kernel Module.*?(\d+\.[\d.]+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

async function nvidiaGpus(): Promise<{ name: string; driver: string }[]> {
  try {
    const query = ['--query-gpu=name,driver_version', '--format=csv,noheader'];
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: TIMEOUT_MS });
    return stdout
      .trim()
      .split('\n')
      .map((line) => {
        const [name = '', driver = ''] = line.split(',').map((part) => part.trim());
        return { name, driver };
      });
  } catch {
    return [];
  }
}
