import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import type { Engine } from '../../../src/container/engines/engine';
import { compileKernels } from '../../../src/container/engines/wasm/kernelModule';
import { createLearner } from '../../../src/container/parallel/createLearner';
import { WorkerPool, type PoolOptions } from '../../../src/container/parallel/workerPool';
import type { Batch, Learner, OptimizerSpec } from '../../../src/container/recipes/task';
import { findTask } from '../../../src/container/recipes/tasks';
import { seeded, values, wasmDir } from '../engines/support';

const root = resolve(__dirname, '..', '..', '..');
const script = join(wasmDir, 'trainer-worker.js');

function hasBuild(module: unknown): module is {
  buildTrainer(outDir: string, options: { production: boolean; names: string[] }): Promise<void>;
} {
  return typeof module === 'object' && module !== null && 'buildTrainer' in module;
}

/** Bundles the worker thread's script: threads run it as they do in the product. */
export async function prepareWorker(): Promise<void> {
  const built: unknown = await import(pathToFileURL(join(root, 'scripts', 'build-trainer.mjs')).href);
  assert.ok(hasBuild(built));
  process.env.TINY_CATS_HOME = wasmDir;
  await built.buildTrainer(wasmDir, { production: false, names: ['trainer-worker'] });
}

export function startPool(workers: number, options: Partial<PoolOptions> = {}): WorkerPool {
  const died = (error: Error): void => {
    throw error;
  };
  return new WorkerPool({ workers, script, wasmDir, kernels: compileKernels(wasmDir), died, ...options });
}

export const SIDE = 16;
const CLASSES = 3;
const spec = { backbone: 'tiny_cnn', classes: CLASSES, imageSize: SIDE, dropout: 0 };

/** A small classifier on the workers of `pool`, or without one on this thread. */
export function classifier(
  engine: Engine,
  pool?: WorkerPool,
  optimizer: OptimizerSpec = {},
): Promise<Learner> {
  return createLearner(findTask('classifier'), spec, { engine, pool, optimizer });
}

export function randomBatch(images: number, seed: number): Batch {
  const random = seeded(seed);
  return {
    images: { data: values(random, images * SIDE * SIDE * 3), shape: [images, SIDE, SIDE, 3] },
    labels: {
      data: Int32Array.from({ length: images }, () => Math.floor(random() * CLASSES)),
      shape: [images],
    },
    seed: { data: Int32Array.from({ length: images }, (_, index) => index), shape: [images] },
  };
}

export const ordinary = { learningRate: 1e-3, gradientClip: 1, weightDecay: 1e-4 };

/** Ends a thread as a crash would: from outside, in the middle of whatever it does. */
export const kill = (thread: Worker | undefined): void => void thread?.terminate();
