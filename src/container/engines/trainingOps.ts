import type { NamedTensorMap, Scalar, Tensor, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs-core';

/** What training-mode batch normalization returns: y like x, and the batch's statistics for running averages. */
export interface BatchNormResult {
  readonly y: Tensor;
  /** Per channel [C]. No gradient flows through it. */
  readonly mean: Tensor1D;
  /** Per channel [C], divided by the count (biased). No gradient flows through it. */
  readonly variance: Tensor1D;
  /** Values of each channel that the statistics are of, over all replicas that train together. */
  readonly count: number;
}

export interface LayerNormAffine {
  /** [N] */
  readonly gamma: Tensor1D;
  /** [N] */
  readonly beta: Tensor1D;
}

export interface ClippedGradients {
  readonly grads: NamedTensorMap;
  /** The global norm before clipping. */
  readonly norm: Scalar;
}

export interface AdamSettings {
  /** Decay of the first moment, default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment, default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment, default 1e-8. */
  readonly epsilon?: number;
}

/** `step` (one value: steps taken) and, for each parameter, `<name>/m` and `<name>/v`. */
export type AdamState = Record<string, Float32Array>;

export interface AdamOptimizer {
  /** Steps taken. */
  readonly steps: number;
  /**
   * Updates every parameter that has a gradient. `grads` is keyed by the variables' own names, as `tf.variableGrads`
   * returns it, and stays the caller's. `weightDecay` is decoupled (AdamW), default 0.
   */
  step(grads: NamedTensorMap, learningRate: number, weightDecay?: number): void;
  exportState(): Promise<AdamState>;
  /** Takes over an exported state. Throws, changing nothing, where an entry is missing or has another size. */
  importState(state: AdamState): void;
  /** Frees the moments; the parameters stay. */
  dispose(): void;
}

/**
 * Training steps that an engine may have as one kernel. All tensors are float32 unless said otherwise; results follow
 * tidy like any operation's.
 */
export interface TrainingOps {
  /** (x - mean) / sqrt(variance + epsilon) * gamma + beta over all but the last axis; differentiable in x, gamma, beta. */
  batchNorm(x: Tensor, gamma: Tensor1D, beta: Tensor1D, epsilon: number): BatchNormResult;
  /** Mean cross entropy of logits [B, K] against int32 labels [B], each in 0..K-1; differentiable in the logits. */
  crossEntropy(logits: Tensor2D, labels: Tensor1D): Scalar;
  /** (x - mean) / sqrt(variance + epsilon) over the last axis [N], then * gamma + beta where given; differentiable. */
  layerNorm(x: Tensor, epsilon: number, affine?: LayerNormAffine): Tensor;
  /** x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2, as PyTorch's GELU with approximate="tanh"; differentiable. */
  gelu(x: Tensor): Tensor;
  /** x * sigmoid(x); differentiable. */
  silu(x: Tensor): Tensor;
  /** Softmax of scale * x over the last axis, scale 1 by default; differentiable. */
  softmax(x: Tensor, scale?: number): Tensor;
  /**
   * Scaled dot-product attention of every token to all of its example, in `heads` heads: qkv [B, T, 3 * W], queries, keys
   * and values one after the other and heads within them, to [B, T, W]; differentiable.
   */
  attention(qkv: Tensor, heads: number): Tensor;
  /** Scales all gradients by maxNorm / norm where their common norm exceeds `maxNorm`. */
  clipByGlobalNorm(grads: NamedTensorMap, maxNorm: number): ClippedGradients;
  /** An Adam optimizer for `parameters`; the keys name their entries in the exported state. */
  adam(parameters: Record<string, Variable>, settings?: AdamSettings): AdamOptimizer;
}
