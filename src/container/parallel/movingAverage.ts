import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { Tf } from '../engines/engine';

/** Decay at step `step` (from 1): small at first, so that the initial weights are soon forgotten. */
export function averageDecayAt(step: number, decay: number): number {
  return Math.min(decay, (1 + step) / (10 + step));
}

interface Entry {
  readonly name: string;
  readonly weights: Variable;
  readonly average: Variable;
}

/** An exponential moving average of parameters (Polyak and Juditsky, 1992), which can take their place for a while. */
export class MovingAverage {
  private readonly entries: readonly Entry[];

  constructor(
    private readonly tf: Tf,
    parameters: Readonly<Record<string, Variable>>,
    private readonly decay: number,
  ) {
    this.entries = Object.entries(parameters).map(([name, weights]) => {
      const average = tf.tidy(() => tf.variable(tf.zeros(weights.shape), false));
      return { name, weights, average };
    });
    this.restart();
  }

  /** Begins again at the parameters as they are. */
  restart(): void {
    for (const { weights, average } of this.entries) average.assign(weights);
  }

  /** @param step the optimiser's, from 1 */
  update(step: number): void {
    const { tf } = this;
    const decay = averageDecayAt(step, this.decay);
    tf.tidy(() => {
      for (const { weights, average } of this.entries) {
        average.assign(tf.add(tf.mul(average, decay), tf.mul(weights, 1 - decay)));
      }
    });
  }

  /** Runs `work` with the averages in the parameters' place. */
  async using<T>(work: () => Promise<T>): Promise<T> {
    const saved = this.entries.map(({ weights, average }): Tensor => {
      const current = this.tf.keep(weights.clone());
      weights.assign(average);
      return current;
    });
    try {
      return await work();
    } finally {
      this.entries.forEach(({ weights }, index) => {
        const current = saved[index];
        if (current) weights.assign(current);
      });
      this.tf.dispose(saved);
    }
  }

  async export(): Promise<Record<string, Float32Array>> {
    const read = this.entries.map(async ({ name, average }): Promise<[string, Float32Array]> => [
      name,
      Float32Array.from(await average.data()),
    ]);
    return Object.fromEntries(await Promise.all(read));
  }

  /** Takes over what `export` gave, sizes checked. */
  load(averages: Readonly<Record<string, Float32Array>>): void {
    const { tf } = this;
    for (const { name, average } of this.entries) {
      const values = averages[name];
      if (values) tf.tidy(() => average.assign(tf.tensor(values.slice(), average.shape)));
    }
  }

  dispose(): void {
    for (const { average } of this.entries) average.dispose();
  }
}
