import type { NamedTensorMap, Variable } from '@tensorflow/tfjs-core';
import type { TensorData } from '../../volume/safetensors';
import type { Engine } from '../engines/engine';
import type { ReplicaSeat } from '../engines/replicas';
import type { Score, TaskModel, Weights } from '../recipes/task';
import { Barrier } from './barrier';
import { partOf, readPart } from './batchBuffer';
import { CONTROL, type SharedState } from './layout';
import { averageDecayAt } from './movingAverage';
import type { AdamConstants, Order, ResultOf, SharedBatch } from './protocol';
import { addGradients } from './gradients';
import { Replica, type PredictedArray } from './replica';
import { SharedReplicaGroup } from './replicaGroup';
import type { SharedKernels } from './sharedMemory';

type StepOrder = Extract<Order, { type: 'step' }>;

export interface SharedModel {
  readonly worker: number;
  readonly state: SharedState;
  readonly kernels: SharedKernels;
  readonly settings: AdamConstants;
}

/** One worker's part of a data-parallel learner. All workers are given the same orders, but those said otherwise. */
export class WorkerLearner {
  private readonly replica: Replica;
  private readonly variables: readonly { readonly variable: Variable; readonly offset: number }[];
  private readonly allWorkers: Barrier;
  private readonly activeWorkers: Barrier;

  constructor(
    private readonly engine: Engine,
    private readonly seat: ReplicaSeat,
    private readonly model: TaskModel,
    private readonly shared: SharedModel,
  ) {
    this.replica = new Replica(engine, model);
    let offset = 0;
    this.variables = Object.values(model.store.trainable).map((variable) => {
      const entry = { variable, offset };
      offset += variable.size;
      return entry;
    });
    const { control } = shared.state;
    this.allWorkers = new Barrier(control, CONTROL.allArrived, CONTROL.allGeneration);
    this.activeWorkers = new Barrier(control, CONTROL.activeArrived, CONTROL.activeGeneration);
  }

  /** Draws this worker's share of the values, and takes the others' from shared memory. */
  initialise(seed: number): void {
    const { worker, state, settings } = this.shared;
    const { workers } = state.sizes;
    const { addressOf } = state;
    const { from, to } = state.shard(worker);
    const isMine = ({ offset }: { offset: number }): boolean => offset >= from && offset < to;
    const others = this.variables.filter((entry) => !isMine(entry)).map(({ variable }) => variable);
    this.model.store.initialise(seed, new Set(others));
    const drawn = state.floats(addressOf.parameters());
    for (const { variable, offset } of this.variables.filter(isMine)) {
      drawn.set(this.view(variable), offset);
    }
    this.allWorkers.wait(workers);
    this.readParameters(addressOf.parameters());
    if (worker === 0 && settings.averageDecay !== null) {
      state.floats(addressOf.average()).set(drawn);
    }
  }

  load(tensors: readonly TensorData[]): void {
    this.model.store.load(tensors);
    this.publish();
  }

  async export(weights: Weights, part: 'all' | 'buffers'): Promise<TensorData[]> {
    const tensors = await this.using(weights, () => this.model.store.export());
    const { trainable } = this.model.store;
    return part === 'all' ? tensors : tensors.filter(({ name }) => !(name in trainable));
  }

  async step(order: StepOrder): Promise<ResultOf<'stepped'>> {
    const { workers } = this.shared.state.sizes;
    const total = order.batches.reduce((sum, { examples }) => sum + examples, 0);
    const scores: Promise<{ examples: number; score: Score }>[] = [];
    let grads: NamedTensorMap | undefined;
    order.batches.forEach((batch, index) => {
      // A batch may have another number of active workers than the one before it.
      if (index > 0) this.allWorkers.wait(workers);
      const part = this.differentiate(order.buffer, batch, total);
      if (part === undefined) return;
      scores.push(part.score.then((score) => ({ examples: part.examples, score })));
      grads = grads === undefined ? part.grads : addGradients(this.engine.tf, grads, part.grads);
    });
    this.writeGradient(grads);
    const gradientNorm = this.update(order);
    this.readParameters(this.shared.state.addressOf.parameters());
    return { type: 'stepped', gradientNorm, scores: await Promise.all(scores) };
  }

  async evaluate(
    buffer: SharedArrayBuffer,
    batch: SharedBatch,
    weights: Weights,
  ): Promise<ResultOf<'evaluated'>> {
    const range = this.partOf(batch);
    const examples = range.to - range.from;
    if (examples === 0) return { type: 'evaluated', examples, score: null };
    const score = await this.using(weights, () => this.replica.evaluate(readPart(buffer, batch, range)));
    return { type: 'evaluated', examples, score };
  }

  async predict(
    buffer: SharedArrayBuffer,
    batch: SharedBatch,
    weights: Weights,
  ): Promise<ResultOf<'predicted'>> {
    const range = this.partOf(batch);
    let predicted: Record<string, PredictedArray> = {};
    if (range.to > range.from) {
      predicted = await this.using(weights, () => this.replica.predict(readPart(buffer, batch, range)));
    }
    const arrays = Object.entries(predicted).map(([name, array]) => ({ name, ...array }));
    return { type: 'predicted', arrays };
  }

  dispose(): void {
    this.model.store.dispose();
  }

  private partOf({ examples }: SharedBatch): { from: number; to: number } {
    return partOf(examples, this.shared.worker, this.shared.state.sizes.workers);
  }

  /** This worker's part of the gradient of the mean loss over `total` examples; undefined where it has no examples. */
  private differentiate(buffer: SharedArrayBuffer, batch: SharedBatch, total: number) {
    const { worker, state } = this.shared;
    const range = this.partOf(batch);
    const examples = range.to - range.from;
    if (examples === 0) return undefined;
    const parties = Math.min(state.sizes.workers, batch.examples);
    this.seat.group =
      parties === 1
        ? undefined
        : new SharedReplicaGroup(state, this.activeWorkers, { worker, parties }, batch.examples / examples);
    try {
      const { grads, score } = this.replica.differentiate(readPart(buffer, batch, range), examples / total);
      return { examples, grads, score };
    } finally {
      this.seat.group = undefined;
    }
  }

  /** Copies the gradient to this worker's place in shared memory and frees it. */
  private writeGradient(grads: NamedTensorMap | undefined): void {
    const { tf } = this.engine;
    const { worker, state } = this.shared;
    Atomics.store(state.control, CONTROL.contributed + worker, grads === undefined ? 0 : 1);
    if (grads === undefined) return;
    const target = state.floats(state.addressOf.gradient(worker));
    for (const { variable, offset } of this.variables) {
      const grad = grads[variable.name];
      if (grad === undefined) target.fill(0, offset, offset + variable.size);
      else target.set(this.view(grad), offset);
    }
    tf.dispose(grads);
  }

  /**
   * Adds up the gradients and updates this worker's share of the parameters.
   * @returns the global norm before clipping, the same on all
   */
  private update({ step, learningRate, gradientClip, weightDecay }: StepOrder): number {
    const { worker, state, kernels, settings } = this.shared;
    const { workers } = state.sizes;
    const { addressOf } = state;
    const { from, to } = state.shard(worker);
    const count = to - from;
    const at = (address: number) => address + from * 4;
    this.allWorkers.wait(workers);
    // The workers without examples are the last ones.
    let contributors = 1;
    while (contributors < workers && state.control[CONTROL.contributed + contributors] === 1)
      contributors += 1;
    const gradient = at(addressOf.gradient(0));
    const stride = addressOf.gradient(1) - addressOf.gradient(0);
    kernels.sumReplicas(gradient, stride, contributors, gradient, count);
    state.norms[worker] = kernels.sumOfSquares(gradient, count);
    this.allWorkers.wait(workers);
    const norm = Math.sqrt(state.norms.reduce((sum, part) => sum + part, 0));
    const factor = gradientClip > 0 && !(norm <= gradientClip) ? gradientClip / norm : 1;
    const weights = at(addressOf.parameters());
    kernels.adam(
      weights,
      gradient,
      at(addressOf.first()),
      at(addressOf.second()),
      weights,
      count,
      learningRate / (1 - settings.beta1 ** step),
      settings.beta1,
      settings.beta2,
      1 / (1 - settings.beta2 ** step),
      settings.epsilon,
      1 - learningRate * weightDecay,
      factor,
    );
    if (settings.averageDecay !== null) {
      const decay = averageDecayAt(step, settings.averageDecay);
      kernels.movingAverage(at(addressOf.average()), weights, count, decay);
    }
    this.allWorkers.wait(workers);
    return norm;
  }

  /** Shares the variables' values, which are the same on all workers, and begins the moving average at them. */
  private publish(): void {
    const { worker, state, settings } = this.shared;
    if (worker !== 0) return;
    for (const { variable, offset } of this.variables) {
      const values = this.view(variable);
      state.floats(state.addressOf.parameters()).set(values, offset);
      if (settings.averageDecay !== null) state.floats(state.addressOf.average()).set(values, offset);
    }
  }

  private readParameters(address: number): void {
    const { tf } = this.engine;
    const { state } = this.shared;
    for (const { variable, offset } of this.variables) {
      const values = state.floats(address, offset, variable.size);
      tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
    }
  }

  private async using<T>(weights: Weights, work: () => Promise<T>): Promise<T> {
    if (weights === 'current') return work();
    const { addressOf } = this.shared.state;
    this.readParameters(addressOf.average());
    try {
      return await work();
    } finally {
      this.readParameters(addressOf.parameters());
    }
  }

  private view(tensor: Variable | NamedTensorMap[string]): Float32Array {
    if (this.engine.view === undefined)
      throw new Error(`the engine ${this.engine.name} cannot train in parallel`);
    return this.engine.view(tensor);
  }
}
