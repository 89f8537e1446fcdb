import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import type { Tf } from '../engines/engine';

/** The sums of two sets of gradients of the same variables; both sets are freed. */
export function addGradients(tf: Tf, some: NamedTensorMap, others: NamedTensorMap): NamedTensorMap {
  const sums = Object.entries(some).map(([name, grad]): [string, Tensor] => {
    const other = others[name];
    if (other === undefined) throw new Error(`there is no second gradient of ${name}`);
    const sum = tf.add(grad, other);
    tf.dispose([grad, other]);
    return [name, sum];
  });
  return Object.fromEntries(sums);
}
