import type { Engine } from '../engines/engine';
import { compileKernels } from '../engines/wasm/kernelModule';
import type { Learner, OptimizerSpec, Task, TaskSpec } from '../recipes/task';
import { createLearner } from './createLearner';
import { workerCount } from './workerCount';
import { WorkerPool } from './workerPool';

export interface LearnerRequest {
  /** Threads to compute with: 0 as many as pay on this machine, 1 the trainer itself. */
  readonly workers: number;
  readonly optimizer?: OptimizerSpec;
}

/** What worker threads are started with. */
export interface Threads {
  /** The bundled worker.ts. */
  readonly script: string;
  readonly wasmDir: string;
  /** Called when a thread ended by itself. */
  readonly died: (error: Error) => void;
  /** Threads that were started already; they become the collection's own. */
  readonly ahead?: WorkerPool | undefined;
}

/** One for each recipe, as a rule. */
const KEPT = 2;

/** The learners of one trainer, kept with their threads, buffers and compiled kernels for later runs of the same shape. */
export class Learners {
  /** The most recently used last. */
  private readonly kept = new Map<string, Learner>();
  private pool: WorkerPool | undefined;

  /** @param threads without them all computing is done in the caller's thread */
  constructor(
    private readonly engine: Engine,
    private readonly threads?: Threads,
  ) {
    if (engine.name === 'wasm') this.pool = threads?.ahead;
    else void threads?.ahead?.dispose();
  }

  /**
   * A learner for the task, made now or by an earlier run with equal arguments; its weights and optimiser are whatever
   * that left. It stays the property of this collection, and is one run's at a time.
   */
  async acquire(task: Task, spec: TaskSpec, { workers, optimizer = {} }: LearnerRequest): Promise<Learner> {
    const count = this.threadsFor(workers);
    const key = JSON.stringify([task.name, spec, count, optimizer]);
    const found = this.kept.get(key);
    this.kept.delete(key);
    for (const [oldest, learner] of [...this.kept].slice(0, -(KEPT - 1))) {
      this.kept.delete(oldest);
      await learner.dispose();
    }
    const made =
      found ??
      (await createLearner(task, spec, { engine: this.engine, optimizer, pool: await this.poolOf(count) }));
    this.kept.set(key, made);
    return made;
  }

  async dispose(): Promise<void> {
    const learners = [...this.kept.values()];
    this.kept.clear();
    for (const learner of learners) await learner.dispose();
    await this.pool?.dispose();
    this.pool = undefined;
  }

  /** Only the wasm engine computes with one thread: the others have their own. */
  private threadsFor(workers: number): number {
    return this.threads !== undefined && this.engine.name === 'wasm' ? workerCount(workers) : 1;
  }

  /** The threads, as many as asked; others than before replace them with all that they computed. */
  private async poolOf(workers: number): Promise<WorkerPool | undefined> {
    if (workers === 1 || this.threads === undefined) return undefined;
    if (this.pool?.size !== workers) {
      if (this.pool !== undefined) await this.dispose();
      const kernels = compileKernels(this.threads.wasmDir);
      this.pool = new WorkerPool({ workers, kernels, ...this.threads });
    }
    return this.pool;
  }
}
