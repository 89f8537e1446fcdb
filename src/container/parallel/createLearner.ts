import type { Engine } from '../engines/engine';
import type { Learner, OptimizerSpec, Task, TaskSpec } from '../recipes/task';
import { LocalLearner } from './localLearner';
import { ParallelLearner } from './parallelLearner';
import type { WorkerPool } from './workerPool';

export interface LearnerOptions {
  readonly engine: Engine;
  readonly optimizer?: OptimizerSpec;
  /** Threads to compute on; without them the caller's thread does. Each has a wasm engine of its own. */
  readonly pool?: WorkerPool | undefined;
}

/** A learner of its own, to be disposed by whom it is made for. Its weights are undefined until it is initialised. */
export async function createLearner(
  task: Task,
  spec: TaskSpec,
  { engine, optimizer = {}, pool }: LearnerOptions,
): Promise<Learner> {
  return pool
    ? ParallelLearner.create(pool, task, spec, optimizer)
    : new LocalLearner(engine, task.build(engine, spec), optimizer);
}
