import type { NamedTensorMap, Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { Engine } from '../engines/engine';
import type { Batch, BatchArray, BatchTensors, Score, TaskModel } from '../recipes/task';

/** The loss and the sums of a score, still on the engine. */
type ScoreTensors = {
  loss: Scalar;
  sums: Record<string, Scalar>;
};

export interface PredictedArray {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Number of examples of a batch, the first dimension of its arrays. */
export function examplesOf(batch: Batch): number {
  const sizes = new Set(Object.values(batch).map(({ shape }) => shape[0] ?? 0));
  const [examples = 0] = sizes;
  if (sizes.size !== 1 || examples < 1) {
    throw new Error(`a batch needs arrays of one length, at least 1, but has ${[...sizes].join(', ')}`);
  }
  return examples;
}

/** One copy of a task's model on an engine: computes scores, gradients and predictions of whole batches. */
export class Replica {
  constructor(
    private readonly engine: Engine,
    readonly model: TaskModel,
  ) {}

  /**
   * The gradients of `share` times the batch's mean loss, keyed by the variables' own names. Running statistics are
   * brought up to date. The gradients are the caller's to dispose; `score` must be read.
   */
  differentiate(batch: Batch, share: number): { grads: NamedTensorMap; score: Promise<Score> } {
    const { tf } = this.engine;
    const { model } = this;
    let kept: ScoreTensors | undefined;
    const grads = tf.tidy(() => {
      const tensors = this.upload(batch);
      return tf.variableGrads(() => {
        const { loss, sums } = model.loss(tensors, true);
        kept = this.keep(loss, sums);
        return share === 1 ? loss : tf.mul<Scalar>(loss, share);
      }, Object.values(model.store.trainable)).grads;
    });
    for (const update of model.pending.splice(0)) update();
    if (kept === undefined) throw new Error('the loss was not computed');
    return { grads, score: this.read(kept) };
  }

  /** Scores a batch with the running statistics and changes nothing. */
  evaluate(batch: Batch): Promise<Score> {
    const kept = this.engine.tf.tidy((): ScoreTensors => {
      const { loss, sums } = this.model.loss(this.upload(batch), false);
      return this.keep(loss, sums);
    });
    return this.read(kept);
  }

  async predict(batch: Batch): Promise<Record<string, PredictedArray>> {
    const { tf } = this.engine;
    const predicted = tf.tidy(() => {
      const made = Object.entries(this.model.predict(this.upload(batch)));
      return made.map(([name, tensor]): [string, Tensor] => [name, tf.keep(tf.clone(tensor))]);
    });
    const read = predicted.map(async ([name, tensor]): Promise<[string, PredictedArray]> => {
      const data = Float32Array.from(await tensor.data());
      tensor.dispose();
      return [name, { data, shape: tensor.shape }];
    });
    return Object.fromEntries(await Promise.all(read));
  }

  private upload(batch: Batch): BatchTensors {
    const { tf } = this.engine;
    const tensors = Object.entries(batch).map(([name, { data, shape }]): [string, Tensor] => [
      name,
      tf.tensor(this.readable(data), [...shape], data instanceof Int32Array ? 'int32' : 'float32'),
    ]);
    return Object.fromEntries(tensors);
  }

  /** Native engines are given no shared memory: they may keep what they are given, or not know how to read it. */
  private readable(data: BatchArray['data']): BatchArray['data'] {
    const isShared = data.buffer instanceof SharedArrayBuffer;
    return isShared && this.engine.name !== 'wasm' ? data.slice() : data;
  }

  /** Takes the scalars out of the tidy around them. */
  private keep(loss: Scalar, sums: Readonly<Record<string, Scalar>>): ScoreTensors {
    const { tf } = this.engine;
    const kept = (scalar: Scalar): Scalar => tf.keep(tf.clone(scalar));
    const entries = Object.entries(sums).map(([name, sum]): [string, Scalar] => [name, kept(sum)]);
    return { loss: kept(loss), sums: Object.fromEntries(entries) };
  }

  private async read({ loss, sums }: ScoreTensors): Promise<Score> {
    const entries = Object.entries(sums).map(async ([name, sum]): Promise<[string, number]> => [
      name,
      await readScalar(sum),
    ]);
    return { loss: await readScalar(loss), sums: Object.fromEntries(await Promise.all(entries)) };
  }
}

/** Reads and frees a scalar. */
export async function readScalar(scalar: Scalar): Promise<number> {
  const [value = NaN] = await scalar.data();
  scalar.dispose();
  return value;
}

/** Joins the scores of parts of a batch, by the number of examples of each. */
export function joinScores(parts: readonly { readonly examples: number; readonly score: Score }[]): Score {
  const total = parts.reduce((sum, { examples }) => sum + examples, 0);
  const sums: Record<string, number> = {};
  let loss = 0;
  for (const { examples, score } of parts) {
    loss += score.loss * (examples / total);
    for (const [name, sum] of Object.entries(score.sums)) sums[name] = (sums[name] ?? 0) + sum;
  }
  return { loss, sums };
}
