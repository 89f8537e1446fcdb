import type { Rank, Scalar, Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import * as v from 'valibot';
import { parse } from '../../../protocol/schema';
import type { Engine } from '../../engines/engine';
import type { Task, TaskModel, TaskSpec } from '../task';
import { BACKBONES } from '../../../protocol/backbones';
import { buildNetwork } from './networks';

const specSchema = v.object({
  backbone: v.picklist(BACKBONES),
  classes: v.number(),
  imageSize: v.number(),
  stemChannels: v.optional(v.number()),
});
export type ClassifierSpec = v.InferOutput<typeof specSchema>;

/**
 * Cross entropy of a network's logits. A batch has normalised `images` [B, side, side, 3] and int32 `labels` [B], and
 * for training the factors `mask` [B, headInputs] of the last layer's inputs, where there is dropout; the
 * sum `correct` counts the images whose highest logit is their class's; `predict` needs the images alone and gives `logits`.
 */
export const classifierTask: Task = {
  name: 'classifier',
  build: (engine: Engine, given: TaskSpec): TaskModel => {
    const { tf, ops } = engine;
    const spec = parse(specSchema, given, 'classifier');
    const network = buildNetwork(engine, spec.backbone, spec);
    const imagesOf = (batch: Readonly<Record<string, Tensor>>): Tensor4D => ranked<Rank.R4>(batch.images, 4);
    return {
      store: network.store,
      pending: network.pending,
      loss: (batch, training) => {
        const labels: Tensor1D = ranked<Rank.R1>(batch.labels, 1);
        const mask = batch.mask === undefined ? {} : { mask: ranked<Rank.R2>(batch.mask, 2) };
        const logits = network.forward(imagesOf(batch), { training, ...mask });
        const correct = tf.sum<Scalar>(tf.cast(tf.equal(tf.argMax(logits, -1), labels), 'float32'));
        return { loss: ops.crossEntropy(logits, labels), sums: { correct } };
      },
      predict: (batch) => ({ logits: network.forward(imagesOf(batch), { training: false }) }),
    };
  },
};

function ranked<R extends Rank>(tensor: Tensor | undefined, rank: number): Tensor<R> {
  if (isRanked<R>(tensor, rank)) {
    return tensor;
  }
  throw new Error(
    `expected a tensor of rank ${rank} in the batch, got ${tensor?.shape.join(' x ') ?? 'none'}`,
  );
}

function isRanked<R extends Rank>(tensor: Tensor | undefined, rank: number): tensor is Tensor<R> {
  return tensor?.rank === rank;
}
