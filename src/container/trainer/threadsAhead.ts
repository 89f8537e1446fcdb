import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compileKernels, type KernelModule } from '../engines/wasm/kernelModule';
import { workerCount } from '../parallel/workerCount';
import { WorkerPool } from '../parallel/workerPool';
import type { EnterOptions } from '../trainerProtocol';

/**
 * Starts the threads that the wasm engine will compute with before anything else is loaded, so that they load at the
 * same time. Undefined where another engine may be chosen, or one thread is asked for.
 * @param died called when a thread ended by itself
 */
export function startThreads(
  { engine, enginesDir, wasmDir, hint }: EnterOptions,
  died: (error: Error) => void,
): WorkerPool | undefined {
  const isWasm = engine === 'wasm' || (engine === 'auto' && !existsSync(enginesDir));
  const asked = hint.params.num_workers ?? 0;
  if (!isWasm || typeof asked !== 'number' || !Number.isInteger(asked) || asked < 0) return undefined;
  const workers = workerCount(asked);
  if (workers === 1) return undefined;
  let kernels: KernelModule;
  try {
    // Before there are threads: it is done under flags of V8 under which they would start slowly.
    kernels = compileKernels(wasmDir);
  } catch {
    // The engine will say why.
    return undefined;
  }
  return new WorkerPool({ workers, script: join(__dirname, 'trainer-worker.js'), wasmDir, kernels, died });
}
