import type { NamedTensorMap, Tensor, Variable } from '@tensorflow/tfjs-core';
import type { Tf } from './engine';
import type { AdamOptimizer, AdamSettings, AdamState } from './trainingOps';

/** The scalars of one step. */
export interface AdamCoefficients {
  /** Learning rate times the correction of the first moment's bias. */
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Correction of the second moment's bias. */
  readonly correction2: number;
  readonly epsilon: number;
  /** Factor of the old weights: 1 - learning rate * weight decay. */
  readonly keep: number;
}

/** Updates the two moments of one parameter and returns its new weights. Called in a tidy. */
export type AdamUpdate = (
  weights: Variable,
  gradient: Tensor,
  moments: { readonly first: Variable; readonly second: Variable },
  coefficients: AdamCoefficients,
) => Tensor;

interface Entry {
  readonly weights: Variable;
  readonly first: Variable;
  readonly second: Variable;
}

/** Adam's bookkeeping; the arithmetic of a parameter is the engine's `update`. */
export class Adam implements AdamOptimizer {
  private readonly entries: ReadonlyMap<string, Entry>;
  private taken = 0;

  constructor(
    private readonly tf: Tf,
    parameters: Record<string, Variable>,
    private readonly settings: AdamSettings,
    private readonly update: AdamUpdate,
  ) {
    const moment = (like: Variable) => tf.tidy(() => tf.variable(tf.zeros(like.shape), false));
    this.entries = new Map(
      Object.entries(parameters).map(([name, weights]) => [
        name,
        { weights, first: moment(weights), second: moment(weights) },
      ]),
    );
  }

  get steps(): number {
    return this.taken;
  }

  step(grads: NamedTensorMap, learningRate: number, weightDecay = 0): void {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = this.settings;
    this.taken += 1;
    const coefficients = {
      rate: learningRate / (1 - beta1 ** this.taken),
      beta1,
      beta2,
      correction2: 1 / (1 - beta2 ** this.taken),
      epsilon,
      keep: 1 - learningRate * weightDecay,
    };
    this.tf.tidy(() => {
      for (const { weights, first, second } of this.entries.values()) {
        const gradient = grads[weights.name];
        if (gradient) weights.assign(this.update(weights, gradient, { first, second }, coefficients));
      }
    });
  }

  async exportState(): Promise<AdamState> {
    const state: AdamState = { step: Float32Array.of(this.taken) };
    for (const [name, { first, second }] of this.entries) {
      state[`${name}/m`] = Float32Array.from(await first.data());
      state[`${name}/v`] = Float32Array.from(await second.data());
    }
    return state;
  }

  importState(state: AdamState): void {
    const entryOf = (name: string, size: number): Float32Array => {
      const values = state[name];
      if (values?.length !== size) {
        throw new Error(
          `Optimizer state "${name}" should have ${size} values, but ${values ? `has ${values.length}` : 'is missing'}`,
        );
      }
      return values;
    };
    const [taken = 0] = entryOf('step', 1);
    const loaded = [...this.entries].map(([name, entry]) => ({
      entry,
      first: entryOf(`${name}/m`, entry.weights.size),
      second: entryOf(`${name}/v`, entry.weights.size),
    }));
    this.tf.tidy(() => {
      for (const { entry, first, second } of loaded) {
        // A copy, because a tensor may keep the array that it was made from.
        entry.first.assign(this.tf.tensor(first.slice(), entry.weights.shape));
        entry.second.assign(this.tf.tensor(second.slice(), entry.weights.shape));
      }
    });
    this.taken = taken;
  }

  dispose(): void {
    for (const { first, second } of this.entries.values()) {
      first.dispose();
      second.dispose();
    }
  }
}
