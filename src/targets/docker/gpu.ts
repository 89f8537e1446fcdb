import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { parse } from '../../protocol/schema';
import { ContainerStartError } from '../target';
import type { Engine } from './engine';
import { runIn } from './exec';

/** As the Container Device Interface names NVIDIA's GPUs. */
export const CDI_KIND = 'nvidia.com/gpu';

/** Ids are indices, or UUIDs as nvidia-smi says them. */
export type GpuChoice = 'none' | 'all' | readonly string[];

export interface GpuWish {
  choice: GpuChoice;
  /** Without one the container does as well. */
  isOptional: boolean;
}

/** @param setting `none`, `all`, `auto` or ids with commas between them */
export async function gpuWish(setting: string, engine: Engine): Promise<GpuWish> {
  switch (setting) {
    case 'none':
      return { choice: 'none', isOptional: true };
    case 'all':
      return { choice: 'all', isOptional: false };
    case 'auto':
      return { choice: (await offersGpus(engine)) ? 'all' : 'none', isOptional: true };
    default: {
      const ids = setting.split(',').map((id) => id.trim());
      return { choice: ids.filter((id) => id !== ''), isOptional: false };
    }
  }
}

/** Programs by which Docker hands GPUs on without a runtime of that name. */
const HOOKS = ['/usr/bin/nvidia-container-runtime-hook', '/usr/bin/nvidia-container-toolkit'];
const CDI_FOLDERS = ['/etc/cdi', '/var/run/cdi'];

/** Whether the engine looks as if it could hand GPUs on. What counts is what is inside a container: see `gpusInside`. */
export async function offersGpus(engine: Engine): Promise<boolean> {
  if (engine.kind === 'podman') {
    // It does not tell of its devices.
    return engine.isHere && CDI_FOLDERS.some(describesGpu);
  }
  const { Runtimes, DiscoveredDevices } = await engine.facts();
  return (
    Object.keys(Runtimes ?? {}).includes('nvidia') ||
    DiscoveredDevices?.some(({ ID }) => ID.startsWith(`${CDI_KIND}=`)) === true ||
    (engine.isHere && HOOKS.some((path) => existsSync(path)))
  );
}

function describesGpu(folder: string): boolean {
  try {
    return readdirSync(folder)
      .filter((name) => /\.(ya?ml|json)$/.test(name))
      .some((name) => readFileSync(join(folder, name), 'utf8').includes(CDI_KIND));
  } catch {
    return false;
  }
}

/** Prints the GPUs that a process inside can open; /dev/dxg is how WSL hands them on. */
const LIST_DEVICES =
  'const {readdirSync:r,closeSync:c,openSync:o}=require("fs");' +
  'console.log(JSON.stringify(r("/dev").filter(n=>/^(nvidia\\d+|dxg)$/.test(n)).filter(n=>{' +
  'try{c(o("/dev/"+n,"r+"));return true}catch{return false}})))';
const devicesSchema = v.array(v.string());

/**
 * The GPU devices that the running container can open. To be asked after each start, since an engine may pass over the
 * request without a word.
 */
export async function gpusInside(engine: Engine, containerId: string): Promise<string[]> {
  const { output } = await runIn(engine, containerId, ['node', '-e', LIST_DEVICES]);
  return parse(devicesSchema, JSON.parse(output), 'list of GPU devices');
}

/** The command by which an engine learns to hand GPUs on. */
export function gpuRemedy(engine: Engine): string {
  return engine.kind === 'docker'
    ? 'sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker'
    : 'sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml';
}

/** What is wrong when a container that was to have a GPU has none. */
export function noGpuError(engine: Engine): ContainerStartError {
  return new ContainerStartError(
    `${engine.title} started the container without the GPU that the target asks for: no NVIDIA device can be opened ` +
      `inside. Install the driver and the NVIDIA Container Toolkit, then run: ${gpuRemedy(engine)}\n` +
      'Or set "gpu" of the target to "none".',
  );
}
