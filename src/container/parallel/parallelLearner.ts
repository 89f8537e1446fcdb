import type { TensorData } from '../../volume/safetensors';
import type {
  Batch,
  Learner,
  OptimizerSpec,
  Score,
  StepOptions,
  StepScore,
  Task,
  TaskSpec,
  Weights,
} from '../recipes/task';
import { abort } from './barrier';
import { BatchBuffer } from './batchBuffer';
import { SharedState } from './layout';
import { attempt, isList } from './localLearner';
import { optimizerTensors, parseOptimizerTensors } from './optimizerState';
import type { AdamConstants, Order, Result, ResultOf } from './protocol';
import { joinScores, type PredictedArray } from './replica';
import type { WorkerPool } from './workerPool';

interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly size: number;
  readonly offset: number;
}

const isReply = <T extends Result['type']>(result: Result, type: T): result is ResultOf<T> =>
  result.type === type;

/**
 * Computes on all workers of a pool, each of which has a replica of the model and takes a part of every batch. The
 * gradients are added up, and the parameters updated, in shared memory, each worker its share of them.
 */
export class ParallelLearner implements Learner {
  readonly workers: number;
  private readonly batches = new BatchBuffer();
  private readonly forget: () => void;
  private steps = 0;

  private constructor(
    private readonly pool: WorkerPool,
    private readonly id: number,
    private readonly state: SharedState,
    private readonly parameters: readonly Parameter[],
    private readonly averaged: boolean,
  ) {
    this.workers = pool.size;
    // Who waits for a worker that will not come has to be told.
    this.forget = pool.onBroken(() => abort(state.control));
  }

  /** @throws Error where the spec does not fit or memory is short, PoolError where a worker dies */
  static async create(
    pool: WorkerPool,
    task: Task,
    spec: TaskSpec,
    optimizer: OptimizerSpec,
  ): Promise<ParallelLearner> {
    await pool.ready();
    const id = pool.newLearner();
    const [built] = expectAll(await pool.askAll(id, { type: 'build', task: task.name, spec }), 'built');
    let total = 0;
    const parameters = (built?.parameters ?? []).map(({ name, shape }): Parameter => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      const offset = total;
      total += size;
      return { name, shape, size, offset };
    });
    const settings = constantsOf(optimizer);
    const averaged = settings.averageDecay !== null;
    const state = SharedState.create({ workers: pool.size, parameters: total, averaged });
    const { memory } = state;
    const order: Order = { type: 'attach', memory, workers: pool.size, parameters: total, settings };
    expectAll(await pool.askAll(id, order), 'done');
    return new ParallelLearner(pool, id, state, parameters, averaged);
  }

  async initialise(seed: number): Promise<void> {
    expectAll(await this.askAll({ type: 'initialise', seed }), 'done');
    this.steps = 0;
    const { addressOf } = this.state;
    this.state.floats(addressOf.first()).fill(0);
    this.state.floats(addressOf.second()).fill(0);
  }

  async step(given: Batch | readonly Batch[], options: StepOptions): Promise<StepScore> {
    const { buffer, batches } = this.batches.write(isList(given) ? given : [given]);
    this.steps += 1;
    const { learningRate, gradientClip, weightDecay } = options;
    const results = expectAll(
      await this.askAll({
        type: 'step',
        step: this.steps,
        buffer,
        batches,
        learningRate,
        gradientClip,
        weightDecay,
      }),
      'stepped',
    );
    if (batches.some(({ examples }) => examples < this.workers)) await this.equaliseBuffers();
    const score = joinScores(results.flatMap(({ scores }) => scores));
    return { ...score, gradientNorm: results[0]?.gradientNorm ?? NaN };
  }

  async evaluate(batch: Batch, weights: Weights = 'current'): Promise<Score> {
    const order = this.orderFor('evaluate', batch, weights);
    const results = expectAll(await this.askAll(order), 'evaluated');
    return joinScores(
      results.flatMap(({ examples, score }) => (score === null ? [] : [{ examples, score }])),
    );
  }

  async predict(batch: Batch, weights: Weights = 'current'): Promise<Record<string, PredictedArray>> {
    const order = this.orderFor('predict', batch, weights);
    const results = expectAll(await this.askAll(order), 'predicted');
    const names = results[0]?.arrays.map(({ name }) => name) ?? [];
    const joined = names.map((name): [string, PredictedArray] => [
      name,
      join(results.flatMap(({ arrays }) => arrays.filter((array) => array.name === name))),
    ]);
    return Object.fromEntries(joined);
  }

  async exportParameters(weights: Weights = 'current'): Promise<TensorData[]> {
    return this.exportPart(weights, 'all');
  }

  async loadParameters(tensors: readonly TensorData[]): Promise<void> {
    expectAll(await this.askAll(loadOrder(tensors)), 'done');
  }

  exportState(): Promise<TensorData[]> {
    const { addressOf } = this.state;
    const moments: Record<string, Float32Array> = { step: Float32Array.of(this.steps) };
    const averages: Record<string, Float32Array> = {};
    for (const { name, size, offset } of this.parameters) {
      // Copies, since shared memory goes on changing.
      moments[`${name}/m`] = Float32Array.from(this.state.floats(addressOf.first(), offset, size));
      moments[`${name}/v`] = Float32Array.from(this.state.floats(addressOf.second(), offset, size));
      if (this.averaged) {
        averages[name] = Float32Array.from(this.state.floats(addressOf.average(), offset, size));
      }
    }
    return Promise.resolve(optimizerTensors(this.byName(), moments, averages));
  }

  loadState(tensors: readonly TensorData[]): Promise<void> {
    return attempt(() => {
      const { moments, averages } = parseOptimizerTensors(this.byName(), tensors, this.averaged);
      const { addressOf } = this.state;
      const put = (address: number, { size, offset }: Parameter, values: Float32Array | undefined) => {
        if (values) this.state.floats(address, offset, size).set(values);
      };
      for (const parameter of this.parameters) {
        put(addressOf.first(), parameter, moments[`${parameter.name}/m`]);
        put(addressOf.second(), parameter, moments[`${parameter.name}/v`]);
        if (this.averaged) put(addressOf.average(), parameter, averages[parameter.name]);
      }
      this.steps = moments.step?.[0] ?? 0;
    });
  }

  async dispose(): Promise<void> {
    this.forget();
    await this.askAll({ type: 'dispose' });
  }

  /** Workers that had no part of a batch do not know its running statistics: they take them from the first. */
  private async equaliseBuffers(): Promise<void> {
    const tensors = await this.exportPart('current', 'buffers');
    if (tensors.length === 0) return;
    const others = Array.from({ length: this.workers - 1 }, (_, index) => index + 1);
    const order = loadOrder(tensors);
    expectAll(await Promise.all(others.map((worker) => this.pool.ask(worker, this.id, order))), 'done');
  }

  private async exportPart(weights: Weights, part: 'all' | 'buffers'): Promise<TensorData[]> {
    const result = await this.pool.ask(0, this.id, { type: 'export', weights, part });
    return expectAll([result], 'exported').flatMap(({ tensors }) => tensors);
  }

  private orderFor(type: 'evaluate' | 'predict', batch: Batch, weights: Weights): Order {
    const { buffer, batches } = this.batches.write([batch]);
    const [written] = batches;
    if (written === undefined) throw new Error('there is no batch');
    return { type, buffer, batch: written, weights };
  }

  private askAll(order: Order): Promise<Result[]> {
    return this.pool.askAll(this.id, order);
  }

  private byName(): Record<string, Parameter> {
    return Object.fromEntries(this.parameters.map((parameter) => [parameter.name, parameter]));
  }
}

function loadOrder(tensors: readonly TensorData[]): Order {
  return {
    type: 'load',
    tensors: [...tensors],
  };
}

function constantsOf({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  averageDecay,
}: OptimizerSpec): AdamConstants {
  return { beta1, beta2, epsilon, averageDecay: averageDecay ?? null };
}

/** @throws Error of the first worker that failed by itself, or else of any that failed */
function expectAll<T extends Result['type']>(results: readonly Result[], type: T): ResultOf<T>[] {
  const failures = results.flatMap((result) => (result.type === 'failed' ? [result] : []));
  const cause = failures.find(({ aborted }) => !aborted) ?? failures[0];
  if (cause) throw new Error(cause.message);
  return results.map((result) => {
    if (!isReply(result, type)) throw new Error(`a worker replied "${result.type}" for "${type}"`);
    return result;
  });
}

function join(parts: readonly PredictedArray[]): PredictedArray {
  const [first] = parts;
  const [, ...rest] = first?.shape ?? [];
  const length = parts.reduce((sum, { data }) => sum + data.length, 0);
  const data = new Float32Array(length);
  let offset = 0;
  let examples = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
    examples += part.shape[0] ?? 0;
  }
  return { data, shape: [examples, ...rest] };
}
