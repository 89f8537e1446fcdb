import type { Scalar } from '@tensorflow/tfjs-core';
import * as v from 'valibot';
import { parse } from '../../../protocol/schema';
import type { BatchTensors, Task, TaskModel } from '../task';
import type { DitShape } from './network';
import { ditNetwork } from './network';

const size = v.pipe(v.number(), v.integer(), v.minValue(1));

const shapeSchema = v.object({
  imageSize: size,
  patchSize: size,
  width: size,
  depth: size,
  heads: size,
  classes: size,
});

/**
 * The velocity's mean squared error. A batch has `x` (noisy images) and `target` (velocities), both as tokens
 * [B, T, patchLength], `time` [B] in [0, 1] and `label` [B]; a prediction needs no target and is the `velocity`.
 */
export const ditTask: Task = {
  name: 'dit',
  build: (engine, spec): TaskModel => {
    const { tf } = engine;
    const shape: DitShape = parse(shapeSchema, spec, 'shape of a TinyDiT');
    const network = ditNetwork(engine, shape);
    const velocity = (batch: BatchTensors) =>
      network.velocity(input(batch, 'x'), input(batch, 'time'), input(batch, 'label'));
    return {
      store: network.store,
      pending: [],
      loss: (batch) => {
        const error = tf.sub(velocity(batch), input(batch, 'target'));
        const loss: Scalar = tf.mean(tf.square(error));
        return { loss, sums: {} };
      },
      predict: (batch) => ({ velocity: velocity(batch) }),
    };
  },
};

function input(batch: BatchTensors, name: string) {
  const tensor = batch[name];
  if (tensor === undefined) {
    throw new Error(`a batch for a TinyDiT lacks "${name}"`);
  }
  return tensor;
}
