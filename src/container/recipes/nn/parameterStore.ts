import type { Rank, ShapeMap, Tensor, Variable } from '@tensorflow/tfjs-core';
import type { TensorData } from '../../../volume/safetensors';
import { Random } from '../../data/random';
import type { Engine } from '../../engines/engine';

/** How a fresh parameter is filled. */
export type Initializer =
  | { kind: 'constant'; value: number }
  | { kind: 'normal'; std: number }
  /** In the engine's layout. */
  | { kind: 'values'; values: Float32Array };

/**
 * How a parameter lies in memory: the engine wants HWIO, HWC1 and [in, out], a checkpoint holds what PyTorch has, OIHW,
 * C1HW and [out, in], so that the files can be used on either side.
 */
export type Layout = 'conv' | 'depthwise' | 'linear' | 'vector';

interface Entry {
  readonly name: string;
  readonly variable: Variable;
  readonly layout: Layout;
  readonly initializer: Initializer;
  /** What was drawn for it last: runs that follow each other have the same seed as a rule. */
  drawn?: { readonly seed: number; readonly values: Float32Array };
}

/** A number that belongs to a model's state without being a tensor of the engine. */
export interface Counter {
  value: number;
}

/** The named parameters and buffers of one model. */
export class ParameterStore {
  private readonly entries: Entry[] = [];
  private readonly counters = new Map<string, Counter>();

  constructor(private readonly engine: Engine) {}

  /** Declares a parameter (`trainable`) or a buffer, with the engine's shape. Its value is undefined until `initialise`. */
  declare<R extends Rank>(
    name: string,
    shape: ShapeMap[R],
    options: { layout: Layout; initializer: Initializer; trainable: boolean },
  ): Variable<R> {
    const { tf } = this.engine;
    const variable = tf.tidy(() => tf.variable(tf.zeros<R>(shape), options.trainable));
    this.entries.push({ name, variable, layout: options.layout, initializer: options.initializer });
    return variable;
  }

  /** Declares a counter, which begins at 0. */
  declareCounter(name: string): Counter {
    const counter = { value: 0 };
    this.counters.set(name, counter);
    return counter;
  }

  /** The parameters that training changes, by name. */
  get trainable(): Record<string, Variable> {
    const trainable = this.entries.filter((entry) => entry.variable.trainable);
    return Object.fromEntries(trainable.map(({ name, variable }) => [name, variable]));
  }

  /**
   * Gives every parameter its fresh value, which depends on the seed and its name alone.
   * @param leftOut trainable ones that get theirs from elsewhere
   */
  initialise(seed: number, leftOut: ReadonlySet<Variable> = new Set()): void {
    for (const entry of this.entries) {
      if (!leftOut.has(entry.variable)) {
        this.assign(entry.variable, initialValues(entry, seed));
      }
    }
    for (const counter of this.counters.values()) {
      counter.value = 0;
    }
  }

  /** All parameters and buffers in PyTorch's layout. */
  async export(): Promise<TensorData[]> {
    const tensors: TensorData[] = [];
    for (const { name, variable, layout } of this.entries) {
      const turned = toTorch(this.engine, variable, layout);
      try {
        const data = await turned.data<'float32'>();
        tensors.push({ name, shape: turned.shape, data: Float32Array.from(data) });
      } finally {
        if (turned !== variable) {
          turned.dispose();
        }
      }
    }
    for (const [name, { value }] of this.counters) {
      tensors.push({ name, shape: [], data: Float32Array.of(value) });
    }
    return tensors;
  }

  /**
   * Takes over exported tensors; those not named stay as they are.
   * @throws Error that names a tensor that is unknown or has another shape, changing nothing
   */
  load(tensors: readonly TensorData[]): void {
    const entries = new Map(this.entries.map((entry) => [entry.name, entry]));
    const changes = tensors.map(({ name, shape, data }) => {
      const counter = this.counters.get(name);
      const entry = entries.get(name);
      const expected = entry ? torchShape(entry) : counter ? [] : undefined;
      if (expected === undefined) {
        throw new Error(`The network has no tensor "${name}"`);
      }
      if (expected.join() !== shape.join() || data.length !== (entry?.variable.size ?? 1)) {
        throw new Error(
          `Tensor "${name}" has the shape [${shape.join(', ')}]; the network's is [${expected.join(', ')}]`,
        );
      }
      return () => {
        if (entry) {
          this.assignTorch(entry, shape, data);
        } else if (counter) {
          counter.value = data[0] ?? 0;
        }
      };
    });
    for (const change of changes) {
      change();
    }
  }

  dispose(): void {
    for (const { variable } of this.entries) {
      variable.dispose();
    }
  }

  private assign(variable: Variable, values: Float32Array): void {
    const { tf } = this.engine;
    tf.tidy(() => {
      variable.assign(tf.tensor(values, variable.shape));
    });
  }

  private assignTorch({ variable, layout }: Entry, shape: readonly number[], values: Float32Array): void {
    const { tf } = this.engine;
    tf.tidy(() => {
      // A copy, because a tensor may keep the array that it was made from.
      const given = tf.tensor(values.slice(), [...shape]);
      variable.assign(layout === 'vector' ? given : tf.transpose(given, [...PERMUTATIONS[layout].toEngine]));
    });
  }
}

/** A fresh array, since a tensor may keep the array that it was made from. */
function initialValues(entry: Entry, seed: number): Float32Array {
  const { initializer, name, variable } = entry;
  switch (initializer.kind) {
    case 'constant':
      return new Float32Array(variable.size).fill(initializer.value);
    case 'normal': {
      if (entry.drawn?.seed !== seed) {
        const values = new Float32Array(variable.size);
        Random.seeded('weights', seed, name).fillNormal(values, initializer.std);
        entry.drawn = { seed, values };
      }
      return entry.drawn.values.slice();
    }
    case 'values':
      return initializer.values.slice();
  }
}

/** Axes of the transposed tensor, by the axes of the other. */
const PERMUTATIONS = {
  conv: { toTorch: [3, 2, 0, 1], toEngine: [2, 3, 1, 0] },
  depthwise: { toTorch: [2, 3, 0, 1], toEngine: [2, 3, 0, 1] },
  linear: { toTorch: [1, 0], toEngine: [1, 0] },
} as const;

function toTorch({ tf }: Engine, variable: Variable, layout: Layout): Tensor {
  return layout === 'vector' ? variable : tf.transpose(variable, [...PERMUTATIONS[layout].toTorch]);
}

function torchShape({ variable: { shape }, layout }: Entry): number[] {
  return layout === 'vector' ? shape : PERMUTATIONS[layout].toTorch.map((axis) => shape[axis] ?? 0);
}
