import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { portableOps } from './portableOps';
import type { ReplicaSeat } from './replicas';
import { loadTensorflow } from './tensorflow';
import type { TrainingOps } from './trainingOps';
import type { KernelModule } from './wasm/kernelModule';
import { loadWasm } from './wasm/load';
import { loadWebgpu } from './webgpu';

export type Tf = typeof tf;

export type EngineName = 'tensorflow' | 'webgpu' | 'wasm' | 'cpu';

/** What an engine's loader makes: its backend is tfjs's current one afterwards. */
export interface EngineBackend {
  /** For a human, such as "AMD EPYC, wasm SIMD + FMA". */
  readonly device: string;
  readonly ops: TrainingOps;
  /** A view of a float32 tensor in the engine's memory, where that can be had; valid until the next operation. */
  readonly view?: (tensor: TensorInfo) => Float32Array;
}

export interface Engine extends EngineBackend {
  readonly name: EngineName;
  readonly tf: Tf;
}

export interface EngineOptions {
  /** Folder with tfjs-backend-wasm-simd.wasm and our compiled kernels. */
  readonly wasmDir: string;
  /** Folder with the engines that the user installed, one subfolder with its node_modules each. */
  readonly enginesDir: string;
  readonly log: (text: string) => void;
  /** Given where the engine's models train as replicas, which only wasm can. */
  readonly replicas?: ReplicaSeat;
  /** The kernels of wasm where they were compiled already. */
  readonly kernels?: KernelModule | undefined;
  /** Times a named part of the start-up. */
  readonly phase?: <T>(name: string, work: () => T | Promise<T>) => Promise<T>;
}

type Loader = (options: EngineOptions) => Promise<EngineBackend>;

async function loadCpu(): Promise<EngineBackend> {
  await import('@tensorflow/tfjs-backend-cpu');
  if (!(await tf.setBackend('cpu'))) throw new Error('tfjs-backend-cpu did not start');
  return { device: 'CPU, plain JavaScript', ops: portableOps(tf) };
}

/** Every engine, the one to prefer first. */
const loaders: Record<EngineName, Loader> = {
  tensorflow: ({ enginesDir }) => loadTensorflow(tf, enginesDir),
  webgpu: ({ enginesDir }) => loadWebgpu(tf, enginesDir),
  wasm: ({ wasmDir, replicas = { group: undefined }, kernels }) => loadWasm(tf, wasmDir, replicas, kernels),
  cpu: loadCpu,
};

export const preference: readonly EngineName[] = ['tensorflow', 'webgpu', 'wasm', 'cpu'];

async function load(name: EngineName, options: EngineOptions): Promise<Engine> {
  const work = () => loaders[name](options);
  try {
    const backend = await (options.phase ? options.phase(`engine ${name}`, work) : work());
    return { name, tf, ...backend };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The engine "${name}" cannot be used: ${reason}`, { cause: error });
  }
}

/**
 * Loads an engine and makes it tfjs's backend. `auto` takes the first that works of tensorflow and webgpu
 * (both only with a GPU), wasm and cpu, and logs why it passed over another.
 * @throws Error that names the engine, what it lacks and what to do, where the chosen one cannot be used.
 */
export async function loadEngine(choice: EngineName | 'auto', options: EngineOptions): Promise<Engine> {
  // Skips checks and warnings that cost time in every operation.
  tf.env().set('PROD', true);
  if (choice !== 'auto') return load(choice, options);
  let failure: unknown;
  for (const name of preference) {
    try {
      return await load(name, options);
    } catch (error) {
      failure = error;
      options.log(error instanceof Error ? error.message : String(error));
    }
  }
  throw failure;
}
