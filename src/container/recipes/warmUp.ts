import type { Engine } from '../engines/engine';
import type { Preparation } from './recipe';
import type { Learner } from './task';

/** What a dummy pass over a whole batch may take where no run waits for it. */
const LONGEST_PASS_MS = 1000;

export interface DummyPasses {
  readonly engine: Engine;
  readonly learner: Learner;
  readonly batchSize: number;
  /** Trains on so many made-up examples, changing no weights. */
  readonly pass: (examples: number) => Promise<unknown>;
}

/**
 * The enter hook's dummy passes. A GPU's kernels are compiled for shapes: those of the run to come. Those of wasm are for
 * any shape, and every worker's are compiled by the smallest batch that gives each one something to do; a whole batch
 * then touches the memory that the first step will need, unless a run waits or it takes long.
 */
export async function dummyPasses(
  { engine, learner, batchSize, pass }: DummyPasses,
  { phase, isAwaited }: Preparation,
): Promise<void> {
  const examples = engine.name === 'wasm' ? Math.min(batchSize, 2 * learner.workers) : batchSize;
  const startedAt = performance.now();
  await phase('forward and backward pass', () => pass(examples));
  const expectedMs = ((performance.now() - startedAt) * batchSize) / examples;
  if (examples < batchSize && expectedMs <= LONGEST_PASS_MS && !isAwaited()) {
    await phase('whole batch', () => pass(batchSize));
  }
}
