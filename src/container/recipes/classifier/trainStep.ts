import type { Engine } from '../../engines/engine';
import type { AdamOptimizer } from '../../engines/trainingOps';
import type { Network } from './tinyCnn';

/** A batch in JavaScript's memory: normalised pixels [size, side, side, 3] and class indices [size]. */
export interface Batch {
  pixels: Float32Array;
  labels: Int32Array;
  side: number;
}

export interface BatchScore {
  /** Mean cross entropy. */
  loss: number;
  /** Number of images whose highest logit is their class's. */
  correct: number;
}

/** One optimiser step. @param gradientClip largest global norm; 0 does not clip */
export function trainStep(
  engine: Engine,
  network: Network,
  optimizer: AdamOptimizer,
  batch: Batch,
  { learningRate, gradientClip }: { learningRate: number; gradientClip: number },
): BatchScore {
  const { tf, ops } = engine;
  const score = tf.tidy(() => {
    const images = tf.tensor4d(batch.pixels, [batch.labels.length, batch.side, batch.side, 3]);
    const labels = tf.tensor1d(batch.labels, 'int32');
    let logits = tf.zeros([0, 0]);
    const { value, grads } = tf.variableGrads(() => {
      const output = network.forward(images, true);
      logits = tf.keep(tf.clone(output));
      return ops.crossEntropy(output, labels);
    }, Object.values(network.store.trainable));
    const used = gradientClip > 0 ? ops.clipByGlobalNorm(grads, gradientClip).grads : grads;
    optimizer.step(used, learningRate);
    const result = {
      loss: value.dataSync()[0] ?? NaN,
      correct: countCorrect(logits.dataSync(), batch.labels),
    };
    logits.dispose();
    return result;
  });
  for (const update of network.pending.splice(0)) {
    update();
  }
  return score;
}

/** Scores a batch with the running statistics and changes nothing. */
export function evaluateBatch({ tf, ops }: Engine, network: Network, batch: Batch): BatchScore {
  return tf.tidy(() => {
    const images = tf.tensor4d(batch.pixels, [batch.labels.length, batch.side, batch.side, 3]);
    const logits = network.forward(images, false);
    const loss = ops.crossEntropy(logits, tf.tensor1d(batch.labels, 'int32'));
    return { loss: loss.dataSync()[0] ?? NaN, correct: countCorrect(logits.dataSync(), batch.labels) };
  });
}

/** @param logits row-major [labels.length, classes] */
function countCorrect(logits: ArrayLike<number>, labels: Int32Array): number {
  const classes = logits.length / labels.length;
  let correct = 0;
  labels.forEach((label, row) => {
    let best = 0;
    for (let index = 1; index < classes; index += 1) {
      if ((logits[row * classes + index] ?? 0) > (logits[row * classes + best] ?? 0)) {
        best = index;
      }
    }
    correct += best === label ? 1 : 0;
  });
  return correct;
}
