import type { Engine } from '../engines/engine';
import type { Preparation } from './recipe';
import type { Batch, Learner } from './task';

/** What a dummy pass over a whole batch may take where no run waits for it. */
const LONGEST_PASS_MS = 1000;
/** Changes no weights. */
const NO_PROGRESS = { learningRate: 0, gradientClip: 1, weightDecay: 0 };

export interface DummyTraining {
  readonly engine: Engine;
  readonly makeLearner: () => Promise<Learner>;
  readonly seed: number;
  readonly batchSize: number;
  /** A batch of so many made-up examples. */
  readonly makeBatch: (examples: number) => Batch;
}

/**
 * The enter hook's model and dummy passes. A GPU's kernels are compiled for shapes: those of the run to come. Those of
 * wasm are for any shape, and every worker's are compiled by the smallest batch that gives each one something to do; a
 * whole batch then touches the memory that the first step will need, unless a run waits or it takes long.
 */
export async function trainDummies(
  { engine, makeLearner, seed, batchSize, makeBatch }: DummyTraining,
  { phase, isAwaited }: Preparation,
): Promise<void> {
  const learner = await phase('workers and model', async () => {
    const made = await makeLearner();
    // With the seed that the first run will have, as a rule, so that its weights are drawn already.
    await made.initialise(seed);
    return made;
  });
  const examples = engine.name === 'wasm' ? Math.min(batchSize, 2 * learner.workers) : batchSize;
  const startedAt = performance.now();
  await phase('forward and backward pass', () => learner.step(makeBatch(examples), NO_PROGRESS));
  const expectedMs = ((performance.now() - startedAt) * batchSize) / examples;
  if (examples < batchSize && expectedMs <= LONGEST_PASS_MS && !isAwaited()) {
    await phase('whole batch', () => learner.step(makeBatch(batchSize), NO_PROGRESS));
  }
}
