import { Worker } from 'node:worker_threads';
import { parse } from '../../protocol/schema';
import type { KernelModule } from '../engines/wasm/kernelModule';
import { fromWorkerSchema, type Order, type Result, type ToWorker, type WorkerData } from './protocol';

export interface PoolOptions {
  readonly workers: number;
  /** The bundled worker.ts. */
  readonly script: string;
  readonly wasmDir: string;
  /** Compiled once for all of them. */
  readonly kernels: KernelModule;
  /** Called once when a worker ended by itself: the pool is of no use any more. */
  readonly died: (error: Error) => void;
  /** Starts a thread; for tests. */
  readonly spawn?: (script: string, data: WorkerData) => Worker;
}

interface Waiting {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

interface Member {
  readonly thread: Worker;
  readonly ready: Promise<void>;
  readonly waiting: Map<number, Waiting>;
  failReady(error: Error): void;
}

/** A worker ended, or the pool was given up. */
export class PoolError extends Error {
  override readonly name = 'PoolError';
}

/** Worker threads, each with an engine of its own, that live as long as the trainer. */
export class WorkerPool {
  readonly size: number;
  private readonly members: readonly Member[];
  private readonly brokenListeners = new Set<() => void>();
  private failure: PoolError | undefined;
  private nextRequest = 0;
  private nextLearner = 0;

  constructor(private readonly options: PoolOptions) {
    const { script, wasmDir, kernels, spawn = startThread } = options;
    this.size = options.workers;
    this.members = Array.from({ length: options.workers }, (_, index) =>
      this.watch(index, spawn(script, { wasmDir, index, kernels })),
    );
  }

  get kernels(): KernelModule {
    return this.options.kernels;
  }

  /** @throws PoolError if a worker cannot start */
  async ready(): Promise<void> {
    await Promise.all(this.members.map((member) => member.ready));
  }

  /** A number for a learner that no other has. */
  newLearner(): number {
    return this.nextLearner++;
  }

  /** Calls `listener` when the pool breaks; returns how to take it back. */
  onBroken(listener: () => void): () => void {
    this.brokenListeners.add(listener);
    return () => this.brokenListeners.delete(listener);
  }

  /** Gives every worker the same order and waits for all results, in the workers' order. */
  askAll(learner: number, order: Order): Promise<Result[]> {
    return Promise.all(this.members.map((_, worker) => this.ask(worker, learner, order)));
  }

  /** @throws PoolError if the worker ends before it replies */
  ask(worker: number, learner: number, order: Order): Promise<Result> {
    const member = this.members[worker];
    if (this.failure) return Promise.reject(this.failure);
    if (member === undefined) return Promise.reject(new PoolError(`there is no worker ${worker}`));
    const id = this.nextRequest++;
    return new Promise((resolve, reject) => {
      member.waiting.set(id, { resolve, reject });
      member.thread.postMessage({ id, learner, order } satisfies ToWorker);
    });
  }

  /** Ends all workers. What is still asked is rejected. */
  async dispose(): Promise<void> {
    this.breakUp(new PoolError('the workers were ended'));
    await Promise.all(this.members.map(({ thread }) => thread.terminate()));
  }

  private watch(index: number, thread: Worker): Member {
    const waiting = new Map<number, Waiting>();
    let markReady: () => void = () => undefined;
    let failReady: (error: Error) => void = () => undefined;
    const ready = new Promise<void>((resolve, reject) => {
      markReady = resolve;
      failReady = reject;
    });
    ready.catch(() => undefined);
    thread.on('message', (value: unknown) => {
      const message = parse(fromWorkerSchema, value, 'message from a worker');
      if (message.type === 'ready') {
        markReady();
        return;
      }
      waiting.get(message.id)?.resolve(message.result);
      waiting.delete(message.id);
    });
    let cause = '';
    thread.on('error', (error: Error) => (cause = error.stack ?? error.message));
    thread.on('exit', (code) => this.lose(index, cause || `it ended with exit code ${code}`));
    return { thread, ready, waiting, failReady };
  }

  private lose(index: number, cause: string): void {
    if (this.failure) return;
    const error = new PoolError(`Computing worker ${index + 1} of ${this.size} died: ${cause}`);
    this.breakUp(error);
    this.options.died(error);
  }

  private breakUp(error: PoolError): void {
    this.failure ??= error;
    for (const listener of this.brokenListeners) listener();
    for (const member of this.members) {
      member.failReady(error);
      for (const { reject } of member.waiting.values()) reject(error);
      member.waiting.clear();
    }
  }
}

function startThread(script: string, data: WorkerData): Worker {
  return new Worker(script, { workerData: data });
}
