import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Tf } from '../engine';
import type { ReplicaSeat } from '../replicas';
import type { Heap } from './heap';
import { KernelCall } from './kernelCall';
import type { Kernels } from './kernelModule';

/** What a kernel's TypeScript side works with. */
export interface WasmContext {
  readonly tf: Tf;
  readonly heap: Heap;
  readonly kernels: Kernels;
  readonly replicas: ReplicaSeat;
}

/** Registers a kernel of the wasm backend; the one it replaces, if any, stays available as `call.stock()`. */
export function registerWasmKernel(
  tf: Tf,
  kernelName: string,
  run: (call: KernelCall) => TensorInfo | TensorInfo[],
): void {
  const stock = tf.getKernel(kernelName, 'wasm') as ReturnType<Tf['getKernel']> | undefined;
  if (stock) tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({
    kernelName,
    backendName: 'wasm',
    ...(stock?.setupFunc ? { setupFunc: stock.setupFunc } : {}),
    ...(stock?.disposeFunc ? { disposeFunc: stock.disposeFunc } : {}),
    kernelFunc: (params) => run(new KernelCall(kernelName, params, stock?.kernelFunc)),
  });
}
