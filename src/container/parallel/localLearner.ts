import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import type { TensorData } from '../../volume/safetensors';
import type { Engine } from '../engines/engine';
import type { AdamOptimizer } from '../engines/trainingOps';
import type { ParameterStore } from '../recipes/nn/parameterStore';
import type {
  Batch,
  Learner,
  OptimizerSpec,
  Score,
  StepOptions,
  StepScore,
  TaskModel,
  Weights,
} from '../recipes/task';
import { addGradients } from './gradients';
import { MovingAverage } from './movingAverage';
import { optimizerTensors, parseOptimizerTensors } from './optimizerState';
import { examplesOf, joinScores, readScalar, Replica, type PredictedArray } from './replica';

/** Computes in the thread that calls it, on any engine. */
export class LocalLearner implements Learner {
  readonly workers = 1;
  private readonly replica: Replica;
  private readonly store: ParameterStore;
  private optimizer: AdamOptimizer;
  private readonly average: MovingAverage | undefined;

  constructor(
    private readonly engine: Engine,
    model: TaskModel,
    private readonly settings: OptimizerSpec,
  ) {
    this.replica = new Replica(engine, model);
    this.store = model.store;
    this.optimizer = this.freshOptimizer();
    if (settings.averageDecay !== undefined) {
      this.average = new MovingAverage(engine.tf, this.store.trainable, settings.averageDecay);
    }
  }

  initialise(seed: number): Promise<void> {
    this.store.initialise(seed);
    this.average?.restart();
    this.optimizer.dispose();
    this.optimizer = this.freshOptimizer();
    return Promise.resolve();
  }

  async step(given: Batch | readonly Batch[], options: StepOptions): Promise<StepScore> {
    const { tf, ops } = this.engine;
    const batches = isList(given) ? given : [given];
    const counts = batches.map(examplesOf);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const scores: { examples: number; score: Promise<Score> }[] = [];
    let grads: NamedTensorMap = {};
    batches.forEach((batch, index) => {
      const examples = counts[index] ?? 0;
      const part = this.replica.differentiate(batch, examples / total);
      scores.push({ examples, score: part.score });
      grads = index === 0 ? part.grads : addGradients(tf, grads, part.grads);
    });
    const limit = options.gradientClip > 0 ? options.gradientClip : Infinity;
    const norm = tf.tidy(() => {
      const clipped = ops.clipByGlobalNorm(grads, limit);
      this.optimizer.step(clipped.grads, options.learningRate, options.weightDecay);
      return clipped.norm;
    });
    tf.dispose(grads);
    this.average?.update(this.optimizer.steps);
    const read = scores.map(async ({ examples, score }) => ({ examples, score: await score }));
    return { ...joinScores(await Promise.all(read)), gradientNorm: await readScalar(norm) };
  }

  evaluate(batch: Batch, weights: Weights = 'current'): Promise<Score> {
    return this.using(weights, () => this.replica.evaluate(batch));
  }

  predict(batch: Batch, weights: Weights = 'current'): Promise<Record<string, PredictedArray>> {
    return this.using(weights, () => this.replica.predict(batch));
  }

  exportParameters(weights: Weights = 'current'): Promise<TensorData[]> {
    return this.using(weights, () => this.store.export());
  }

  loadParameters(tensors: readonly TensorData[]): Promise<void> {
    return attempt(() => {
      this.store.load(tensors);
      this.average?.restart();
    });
  }

  async exportState(): Promise<TensorData[]> {
    const { store, optimizer, average } = this;
    return optimizerTensors(store.trainable, await optimizer.exportState(), await average?.export());
  }

  loadState(tensors: readonly TensorData[]): Promise<void> {
    return attempt(() => {
      const kept = this.average !== undefined;
      const { moments, averages } = parseOptimizerTensors(this.store.trainable, tensors, kept);
      this.optimizer.importState(moments);
      this.average?.load(averages);
    });
  }

  dispose(): Promise<void> {
    this.optimizer.dispose();
    this.average?.dispose();
    this.store.dispose();
    return Promise.resolve();
  }

  private freshOptimizer(): AdamOptimizer {
    return this.engine.ops.adam(this.store.trainable, this.settings);
  }

  private using<T>(weights: Weights, work: () => Promise<T>): Promise<T> {
    if (weights === 'current') return work();
    if (this.average === undefined) throw new Error('no moving average of the parameters is kept');
    return this.average.using(work);
  }
}

export function isList(given: Batch | readonly Batch[]): given is readonly Batch[] {
  return Array.isArray(given);
}

/** Does at once what another learner would do later: an error becomes a rejection. */
export function attempt(work: () => void): Promise<void> {
  return new Promise((resolve) => {
    work();
    resolve();
  });
}
