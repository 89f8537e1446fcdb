import type { NamedTensorMap, Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { Adam, type AdamUpdate } from './adam';
import type { Tf } from './engine';
import type { TrainingOps } from './trainingOps';

/** Training operations composed of tfjs's own, for any backend that has gradients. */
export function portableOps(tf: Tf): TrainingOps {
  const updateAdam: AdamUpdate = (weights, gradient, { first, second }, c) => {
    first.assign(tf.add(tf.mul(first, c.beta1), tf.mul(gradient, 1 - c.beta1)));
    second.assign(tf.add(tf.mul(second, c.beta2), tf.mul(tf.square(gradient), 1 - c.beta2)));
    const scale = tf.add(tf.sqrt(tf.mul(second, c.correction2)), c.epsilon);
    return tf.sub(tf.mul(weights, c.keep), tf.div(tf.mul(first, c.rate), scale));
  };

  return {
    batchNorm: (x, gamma, beta, epsilon) => {
      const axes = x.shape.map((_, axis) => axis).slice(0, -1);
      const [y, mean, variance] = tf.tidy((): [Tensor, Tensor1D, Tensor1D] => {
        const average: Tensor1D = tf.mean(x, axes);
        const centred = tf.sub(x, average);
        const spread: Tensor1D = tf.mean(tf.square(centred), axes);
        const factor = tf.mul(gamma, tf.rsqrt(tf.add(spread, epsilon)));
        return [tf.add(tf.mul(centred, factor), beta), average, spread];
      });
      return { y, mean, variance };
    },

    crossEntropy: (logits, labels) =>
      tf.tidy((): Scalar => {
        const chosen = tf.mul(tf.oneHot(labels, logits.shape[1]), tf.logSoftmax(logits));
        const mean: Scalar = tf.mean(tf.sum(chosen, -1));
        return tf.neg(mean);
      }),

    clipByGlobalNorm: (grads, maxNorm) => {
      const names = Object.keys(grads);
      const clipped: NamedTensorMap = {};
      const [norm, ...scaled] = tf.tidy((): [Scalar, ...Tensor[]] => {
        const tensors = Object.values(grads);
        const squares = tensors.map((grad): Scalar => tf.sum(tf.square(grad)));
        const total: Scalar = squares.length > 0 ? tf.sqrt(tf.addN(squares)) : tf.scalar(0);
        const factor = tf.minimum(1, tf.div(maxNorm, total));
        return [total, ...tensors.map((grad) => tf.mul(grad, factor))];
      });
      names.forEach((name, index) => {
        const grad = scaled[index];
        if (grad) clipped[name] = grad;
      });
      return { grads: clipped, norm };
    },

    adam: (parameters, settings = {}) => new Adam(tf, parameters, settings, updateAdam),
  };
}
