import { readFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { parse } from '../../protocol/schema';
import { loadEngine, type Engine } from '../engines/engine';
import type { ReplicaSeat } from '../engines/replicas';
import type { Task, TaskModel, TaskSpec } from '../recipes/task';
import { abort, AbortedError } from './barrier';
import { SharedState } from './layout';
import {
  toWorkerSchema,
  workerDataSchema,
  type FromWorker,
  type Order,
  type Result,
  type WorkerData,
} from './protocol';
import { isSharedMemory, sharedKernels } from './sharedMemory';
import { WorkerLearner } from './workerLearner';

type AttachOrder = Extract<Order, { type: 'attach' }>;

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}

function isSpec(value: unknown): value is TaskSpec {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Above that of the process that started it: enough for supervisor and editor to go first, too little to starve beside others. */
const NICENESS = 2;

/** Lets the supervisor and the editor go first. On Linux this is of the thread alone. */
function stepBack(): void {
  try {
    setPriority(0, Math.min(constants.priority.PRIORITY_LOW, getPriority(0) + NICENESS));
  } catch {
    // Not everywhere allowed, and nowhere needed for being right.
  }
}

/** What all workers do together: where one fails, the others are not to wait for it. */
async function together<T>(state: SharedState, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    abort(state.control);
    throw error;
  }
}

/** The learners of a worker thread. */
class WorkerLearners {
  /** Models that wait for their shared memory, and those that have it, by the learner's number. */
  private readonly built = new Map<number, TaskModel>();
  private readonly learners = new Map<number, { learner: WorkerLearner; state: SharedState }>();

  constructor(
    private readonly worker: WorkerData,
    private readonly engine: Engine,
    private readonly seat: ReplicaSeat,
    private readonly findTask: (name: string) => Task,
  ) {}

  async follow(id: number, order: Order): Promise<Result> {
    if (order.type === 'build') return this.build(id, order.task, order.spec);
    if (order.type === 'attach') {
      this.attach(id, order);
      return { type: 'done' };
    }
    const entry = this.learners.get(id);
    if (entry === undefined) throw new Error('there is no such learner');
    const { learner, state } = entry;
    switch (order.type) {
      case 'initialise':
        await together(state, () => learner.initialise(order.seed));
        return { type: 'done' };
      case 'load':
        learner.load(order.tensors);
        return { type: 'done' };
      case 'step':
        return together(state, () => learner.step(order));
      case 'evaluate':
        return learner.evaluate(order.buffer, order.batch, order.weights);
      case 'predict':
        return learner.predict(order.buffer, order.batch, order.weights);
      case 'export':
        return { type: 'exported', tensors: await learner.export(order.weights, order.part) };
      case 'dispose':
        learner.dispose();
        this.learners.delete(id);
        return { type: 'done' };
    }
  }

  private build(id: number, task: string, spec: unknown): Result {
    if (!isSpec(spec)) throw new Error('the spec of a task is an object');
    const model = this.findTask(task).build(this.engine, spec);
    this.built.set(id, model);
    const parameters = Object.entries(model.store.trainable).map(([name, { shape }]) => ({ name, shape }));
    return { type: 'built', parameters };
  }

  private attach(id: number, order: AttachOrder): void {
    const model = this.built.get(id);
    if (model === undefined || !isSharedMemory(order.memory)) throw new Error('the model was not built');
    const { memory, workers, parameters, settings } = order;
    const averaged = settings.averageDecay !== null;
    const state = SharedState.attach(memory, { workers, parameters, averaged });
    const kernels = sharedKernels(readFileSync(join(this.worker.wasmDir, 'kernels-shared.wasm')), memory);
    const shared = { worker: this.worker.index, state, kernels, settings };
    this.learners.set(id, { learner: new WorkerLearner(this.engine, this.seat, model, shared), state });
    this.built.delete(id);
  }
}

/** Makes this thread a worker: loads an engine of its own, then computes its part of every learner it is told of. */
export async function serveLearners(findTask: (name: string) => Task): Promise<void> {
  stepBack();
  const worker = parse(workerDataSchema, workerData, 'data of a worker');
  const seat: ReplicaSeat = { group: undefined };
  const { wasmDir, kernels } = worker;
  const engine = await loadEngine('wasm', {
    wasmDir,
    enginesDir: '',
    log: () => undefined,
    replicas: seat,
    kernels,
  });
  const learners = new WorkerLearners(worker, engine, seat, findTask);
  // One order after the other, in the order they came.
  let last = Promise.resolve();
  parentPort?.on('message', (value: unknown) => {
    last = last.then(async () => {
      const { id, learner, order } = parse(toWorkerSchema, value, 'message to a worker');
      const result = await learners.follow(learner, order).catch((error: unknown): Result => {
        const message = error instanceof Error ? error.message : String(error);
        return { type: 'failed', message, aborted: error instanceof AbortedError };
      });
      send({ type: 'reply', id, result });
    });
  });
  send({ type: 'ready' });
}
