import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, sep } from 'node:path';
import type { EngineBackend, Tf } from '../engine';
import type { ReplicaSeat } from '../replicas';
import type { TrainingOps } from '../trainingOps';
import type { WasmContext } from './context';
import { Heap } from './heap';
import {
  compileKernels,
  instantiateKernels,
  isMemory,
  type KernelModule,
  type WasmMemory,
} from './kernelModule';
import { fusedGelu, fusedSilu, installActivations } from './kernels/activations';
import { installArrays } from './kernels/arrays';
import { fusedAttention, installAttention } from './kernels/attention';
import { installBroadcast } from './kernels/broadcast';
import { fusedBatchNorm, installBatchNorm } from './kernels/batchNorm';
import { installConv2D } from './kernels/conv2d';
import { fusedCrossEntropy, installCrossEntropy } from './kernels/crossEntropy';
import { installDepthwise } from './kernels/depthwise';
import { fusedLayerNorm, installLayerNorm } from './kernels/layerNorm';
import { installMatMul } from './kernels/matMul';
import { fusedAdam, fusedClipByGlobalNorm, installOptimizer } from './kernels/optimizer';
import { installMaxPool } from './kernels/maxPool';
import { installReductions } from './kernels/reductions';
import { installReluGradient } from './kernels/relu';
import { fusedSoftmax, installSoftmax } from './kernels/softmax';

/** Kernels are installed once per backend; loading again must not stack them. */
const loaded = new WeakMap<object, EngineBackend>();

/** The memory that the backend's Emscripten module runs on. */
function memoryOf(module: unknown): WasmMemory {
  if (typeof module === 'object' && module !== null && 'asm' in module) {
    const exports = module.asm;
    if (typeof exports === 'object' && exports !== null) {
      const memory: unknown = Object.values(exports).find(isMemory);
      if (isMemory(memory)) return memory;
    }
  }
  throw new Error('tfjs-backend-wasm does not show its memory');
}

/**
 * Runs `work` and removes the process-wide error handlers that it adds. Emscripten installs two that throw again what
 * they get, which would take the place of the trainer's own.
 */
async function withoutNewErrorHandlers<T>(work: () => Promise<T>): Promise<T> {
  const uncaught = process.listeners('uncaughtException');
  const unhandled = process.listeners('unhandledRejection');
  try {
    return await work();
  } finally {
    for (const listener of process.listeners('uncaughtException')) {
      if (!uncaught.includes(listener)) process.off('uncaughtException', listener);
    }
    for (const listener of process.listeners('unhandledRejection')) {
      if (!unhandled.includes(listener)) process.off('unhandledRejection', listener);
    }
  }
}

function installKernels(context: WasmContext): TrainingOps {
  installMatMul(context);
  installActivations(context);
  installArrays(context);
  installBroadcast(context);
  installLayerNorm(context);
  installMaxPool(context);
  installSoftmax(context);
  installAttention(context);
  installConv2D(context);
  installDepthwise(context);
  installReductions(context);
  installReluGradient(context);
  installBatchNorm(context);
  installCrossEntropy(context);
  installOptimizer(context);
  return {
    attention: fusedAttention(context),
    batchNorm: fusedBatchNorm(context),
    crossEntropy: fusedCrossEntropy(context),
    clipByGlobalNorm: fusedClipByGlobalNorm(context),
    adam: fusedAdam(context),
    gelu: fusedGelu(context),
    layerNorm: fusedLayerNorm(context),
    silu: fusedSilu(context),
    softmax: fusedSoftmax(context),
  };
}

/**
 * Makes tfjs-backend-wasm the current backend, with our kernels on its heap.
 * `replicas` is where batch normalization looks for the other replicas of its model; `compiled` are the kernels where
 * another thread has compiled them.
 * @throws Error where a file is missing in `wasmDir` or the machine lacks wasm SIMD.
 */
export async function loadWasm(
  tf: Tf,
  wasmDir: string,
  replicas: ReplicaSeat,
  compiled?: KernelModule,
): Promise<EngineBackend> {
  const missing = [
    'tfjs-backend-wasm-simd.wasm',
    'kernels.wasm',
    'kernels-relaxed.wasm',
    'kernels-shared.wasm',
  ].filter((file) => !existsSync(join(wasmDir, file)));
  if (missing.length > 0) {
    throw new Error(
      `${wasmDir} lacks ${missing.join(', ')}; install Tiny Cats again or run \`npm run build\``,
    );
  }
  const { BackendWasm, setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'))) throw new Error('this machine has no wasm SIMD');
  if (!tf.engine().backendNames().includes('wasm'))
    throw new Error('tfjs-backend-wasm did not register itself');
  if (!('wasm' in tf.engine().registry)) setWasmPaths(wasmDir.endsWith(sep) ? wasmDir : wasmDir + sep);
  if (!(await withoutNewErrorHandlers(() => tf.setBackend('wasm'))))
    throw new Error('tfjs-backend-wasm did not start');
  const backend = tf.backend();
  if (!(backend instanceof BackendWasm)) throw new Error('the wasm backend is not that of tfjs-backend-wasm');
  const present = loaded.get(backend);
  if (present) return present;
  const memory = memoryOf(backend.wasm);
  const module = compiled ?? compileKernels(wasmDir);
  const kernels = instantiateKernels(module, memory);
  const heap = new Heap(backend, memory);
  const ops = installKernels({ tf, heap, kernels, replicas });
  const processor = cpus()[0]?.model.trim() ?? 'CPU';
  const result: EngineBackend = {
    device: `${processor}, wasm SIMD${module.relaxed ? ' + FMA' : ''}`,
    ops,
    view: (tensor) => heap.floats(tensor),
  };
  loaded.set(backend, result);
  return result;
}
