import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { TensorData } from '../../volume/safetensors';
import type { Engine } from '../engines/engine';
import type { AdamSettings } from '../engines/trainingOps';
import type { StatisticsUpdate } from './nn/layers';
import type { ParameterStore } from './nn/parameterStore';

/** One named input of a batch, row-major, examples first: `shape[0]` of them. */
export interface BatchArray {
  readonly data: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/**
 * Named arrays with the same number of examples, the first dimension. All randomness of a step (noise, dropout seeds)
 * comes in the batch, so that the outcome does not depend on how many workers share it.
 */
export type Batch = Readonly<Record<string, BatchArray>>;

/** A batch, or a worker's share of it, on the engine. */
export type BatchTensors = Readonly<Record<string, Tensor>>;

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** What a task is built from: plain data that goes to other threads and says by its text whether two tasks are alike. */
export type TaskSpec = Readonly<Record<string, JsonValue>>;

export interface LossAndSums {
  /** Mean over the examples of the batch. */
  readonly loss: Scalar;
  /** Named sums over the examples, such as `correct`: scalars, added up over the workers. */
  readonly sums: Readonly<Record<string, Scalar>>;
}

/** The model of a task on one engine. */
export interface TaskModel {
  /** Parameters, buffers and counters. */
  readonly store: ParameterStore;
  /** Running statistics to apply after the step; filled by `loss` while training. */
  readonly pending: StatisticsUpdate[];
  /** Called in a tidy. Differentiable in the store's trainable variables. */
  loss(batch: BatchTensors, training: boolean): LossAndSums;
  /** What the model predicts (logits, velocity), each with the examples first. Called in a tidy. */
  predict(batch: BatchTensors): Readonly<Record<string, Tensor>>;
}

/** What a recipe computes: buildable from plain data anywhere, in the trainer or in a worker thread. */
export interface Task {
  /** Its key in `tasks`, by which a worker thread finds it. */
  readonly name: string;
  /** @throws Error where the spec does not fit */
  build(engine: Engine, spec: TaskSpec): TaskModel;
}

export interface OptimizerSpec extends AdamSettings {
  /**
   * Decay of an exponential moving average of the parameters, kept from the first step on; none is kept without it.
   * At step t (from 1) it is at most (1 + t) / (10 + t), so that the average forgets the initial weights early.
   */
  readonly averageDecay?: number;
}

export interface StepOptions {
  readonly learningRate: number;
  /** Largest global norm of the gradient; 0 does not clip. */
  readonly gradientClip: number;
  /** Decoupled (AdamW), of all parameters. */
  readonly weightDecay: number;
}

export interface Score {
  /** Mean over the examples. */
  readonly loss: number;
  readonly sums: Readonly<Record<string, number>>;
}

export interface StepScore extends Score {
  /** Before clipping. */
  readonly gradientNorm: number;
}

/** `average`: the moving average of `OptimizerSpec.averageDecay` in the parameters' place. */
export type Weights = 'current' | 'average';

/**
 * A task with its optimiser, wherever and on however many workers it computes. Calls may overlap in time with work of
 * the caller's, not with each other. The arrays of a batch are read before a call returns its promise: the caller may
 * fill them again while the promise is pending. A rejected call leaves it unusable, except for errors said otherwise.
 */
export interface Learner {
  /** Threads that compute, 1 where the trainer itself does. */
  readonly workers: number;
  /** Fresh weights, which depend on the seed alone, and a fresh optimiser. */
  initialise(seed: number): Promise<void>;
  /** One optimiser step over the mean gradient of all examples; several batches are computed one after the other (gradient accumulation). */
  step(batches: Batch | readonly Batch[], options: StepOptions): Promise<StepScore>;
  /** Scores a batch with the running statistics and changes nothing. */
  evaluate(batch: Batch, weights?: Weights): Promise<Score>;
  /** What the model predicts for a batch, with the running statistics. */
  predict(
    batch: Batch,
    weights?: Weights,
  ): Promise<Record<string, { data: Float32Array; shape: readonly number[] }>>;
  /** Parameters, buffers and counters in PyTorch's layout, as `ParameterStore.export` names them. */
  exportParameters(weights?: Weights): Promise<TensorData[]>;
  /**
   * Takes over exported parameters, buffers and counters, each as large as its own; those not named stay as they are.
   * A moving average starts again from them.
   * @throws Error that names a tensor that is unknown or has another shape, changing nothing
   */
  loadParameters(tensors: readonly TensorData[]): Promise<void>;
  /** The optimiser: what an exact resume needs besides the parameters. */
  exportState(): Promise<TensorData[]>;
  /** @throws Error that names what is missing or has another size, changing nothing */
  loadState(tensors: readonly TensorData[]): Promise<void>;
  dispose(): Promise<void>;
}
