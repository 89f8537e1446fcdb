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
      return { y, mean, variance, count: x.size / gamma.size };
    },

    crossEntropy: (logits, labels) =>
      tf.tidy((): Scalar => {
        const chosen = tf.mul(tf.oneHot(labels, logits.shape[1]), tf.logSoftmax(logits));
        const mean: Scalar = tf.mean(tf.sum(chosen, -1));
        return tf.neg(mean);
      }),

    layerNorm: (x, epsilon, affine) =>
      tf.tidy(() => {
        const centred = tf.sub(x, tf.mean(x, -1, true));
        const spread = tf.mean(tf.square(centred), -1, true);
        const normal = tf.mul(centred, tf.rsqrt(tf.add(spread, epsilon)));
        return affine ? tf.add(tf.mul(normal, affine.gamma), affine.beta) : normal;
      }),

    gelu: (x) =>
      tf.tidy(() => {
        const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
        return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
      }),

    silu: (x) => tf.tidy(() => tf.mul(x, tf.sigmoid(x))),

    softmax: (x, scale = 1) => tf.tidy(() => tf.softmax(scale === 1 ? x : tf.mul(x, scale))),

    attention: (qkv, heads) =>
      tf.tidy(() => {
        const [batch = 0, tokens = 0, width = 0] = qkv.shape;
        const headWidth = width / (3 * heads);
        // Of rank 4, because backends are slow, or unable, to transpose more.
        const parts = tf.transpose(tf.reshape(qkv, [batch, tokens, 3 * heads, headWidth]), [0, 2, 1, 3]);
        const part = (index: number) =>
          tf.slice(parts, [0, index * heads, 0, 0], [batch, heads, tokens, headWidth]);
        const scores = tf.mul(tf.matMul(part(0), part(1), false, true), 1 / Math.sqrt(headWidth));
        const mixed = tf.matMul(tf.softmax(scores), part(2));
        return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, tokens, width / 3]);
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
