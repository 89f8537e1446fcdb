import { bytes, exp, log } from './simd';

/**
 * Mean cross entropy of logits[rows, classes] against int32 labels, by a softmax that cannot overflow.
 * Writes the probabilities[rows, classes] that the gradient needs and the loss, one value. Labels must be in range.
 */
export function crossEntropyForward(
  logits: usize,
  labels: usize,
  probabilities: usize,
  loss: usize,
  rows: i32,
  classes: i32,
): void {
  let total: f64 = 0;
  for (let row = 0; row < rows; row++) {
    let largest = load<f32>(logits);
    for (let i = 1; i < classes; i++) largest = max<f32>(largest, load<f32>(logits + bytes(i)));
    let sum: f32 = 0;
    for (let i = 0; i < classes; i++) {
      const e = exp(load<f32>(logits + bytes(i)) - largest);
      store<f32>(probabilities + bytes(i), e);
      sum += e;
    }
    const label = load<i32>(labels);
    total += log(<f64>sum) - <f64>(load<f32>(logits + bytes(label)) - largest);
    const inverse: f32 = 1 / sum;
    for (let i = 0; i < classes; i++) {
      const at = probabilities + bytes(i);
      store<f32>(at, load<f32>(at) * inverse);
    }
    logits += bytes(classes);
    probabilities += bytes(classes);
    labels += 4;
  }
  store<f32>(loss, <f32>(total / <f64>rows));
}

/** dLogits = dLoss * (probabilities - one-hot labels) / rows; `dLoss` is the address of one value. */
export function crossEntropyBackward(
  probabilities: usize,
  labels: usize,
  dLoss: usize,
  dLogits: usize,
  rows: i32,
  classes: i32,
): void {
  const factor: f32 = load<f32>(dLoss) / <f32>rows;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < classes; i++)
      store<f32>(dLogits + bytes(i), load<f32>(probabilities + bytes(i)) * factor);
    const at = dLogits + bytes(load<i32>(labels));
    store<f32>(at, load<f32>(at) - factor);
    probabilities += bytes(classes);
    dLogits += bytes(classes);
    labels += 4;
  }
}
