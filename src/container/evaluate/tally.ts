/** Counts what a classifier predicts. */
export class Tally {
  readonly confusion: number[][];
  private images = 0;
  private lossSum = 0;

  constructor(private readonly classes: number) {
    this.confusion = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  }

  /** @param logits row-major [labels.length, classes] */
  add(logits: Float32Array, labels: ArrayLike<number>): void {
    for (let row = 0; row < labels.length; row += 1) {
      const scores = logits.subarray(row * this.classes, (row + 1) * this.classes);
      const label = labels[row] ?? 0;
      // The first of equal ones, as the training counts.
      const predicted = scores.indexOf(Math.max(...scores));
      const counts = this.confusion[label];
      if (counts?.[predicted] === undefined) {
        throw new Error(`the network gave no score to image ${row} of a batch`);
      }
      counts[predicted] += 1;
      this.images += 1;
      this.lossSum += crossEntropy(scores, label);
    }
  }

  /** Mean cross entropy. */
  get loss(): number {
    return this.lossSum / this.images;
  }
}

function crossEntropy(scores: Float32Array, label: number): number {
  const highest = Math.max(...scores);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - highest), 0);
  return Math.log(total) + highest - (scores[label] ?? NaN);
}
