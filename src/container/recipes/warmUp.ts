import type { Engine } from '../engines/engine';
import type { Learner } from './task';

/**
 * Examples of the enter hook's dummy batch. A GPU's kernels are compiled for shapes: those of the run to come. Those of
 * wasm are for any shape, and every worker's are compiled by the smallest batch that gives each one something to do.
 */
export function warmUpExamples(engine: Engine, { workers }: Learner, batchSize: number): number {
  return engine.name === 'wasm' ? Math.min(batchSize, 2 * workers) : batchSize;
}
