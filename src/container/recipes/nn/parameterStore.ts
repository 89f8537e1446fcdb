import type { Rank, ShapeMap, Tensor, Variable } from '@tensorflow/tfjs-core';
import type { TensorData } from '../../../volume/safetensors';
import { Random } from '../../data/random';
import type { Engine } from '../../engines/engine';

/** How a fresh parameter is filled. `fanOutNormal` is He et al., "Delving Deep into Rectifiers", 2015. */
export type Initializer = { kind: 'constant'; value: number } | { kind: 'normal'; std: number };

/**
 * How a parameter lies in memory: the engine wants HWIO and [in, out], a checkpoint holds what PyTorch has, OIHW and
 * [out, in], so that the files can be used on either side.
 */
export type Layout = 'conv' | 'linear' | 'vector';

interface Entry {
  readonly name: string;
  readonly variable: Variable;
  readonly layout: Layout;
  readonly initializer: Initializer;
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

  /** Gives every parameter its fresh value, which depends on the seed and its name alone. */
  initialise(seed: number): void {
    for (const { name, variable, initializer } of this.entries) {
      const values = new Float32Array(variable.size);
      if (initializer.kind === 'constant') {
        values.fill(initializer.value);
      } else {
        const random = Random.seeded('weights', seed, name);
        for (let index = 0; index < values.length; index += 1) {
          values[index] = random.normal() * initializer.std;
        }
      }
      this.assign(variable, values);
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

  /** Takes the values that `export` gave. @throws Error if one is missing or of another size */
  import(tensors: ReadonlyMap<string, Float32Array>): void {
    const { tf } = this.engine;
    const valuesOf = (name: string, size: number): Float32Array => {
      const values = tensors.get(name);
      if (values?.length !== size) {
        throw new Error(`"${name}" is missing, or not of ${size} values`);
      }
      return values;
    };
    for (const { name, variable, layout } of this.entries) {
      const values = valuesOf(name, variable.size);
      tf.tidy(() => {
        const shape = variable.shape;
        if (layout === 'conv') {
          const [height = 0, width = 0, inputs = 0, outputs = 0] = shape;
          const turned = tf.tensor(values.slice(), [outputs, inputs, height, width]);
          variable.assign(tf.transpose(turned, [2, 3, 1, 0]));
        } else if (layout === 'linear') {
          variable.assign(tf.transpose(tf.tensor(values.slice(), [...shape].reverse()), [1, 0]));
        } else {
          variable.assign(tf.tensor(values.slice(), shape));
        }
      });
    }
    for (const [name, counter] of this.counters) {
      counter.value = valuesOf(name, 1)[0] ?? 0;
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
}

function toTorch({ tf }: Engine, variable: Variable, layout: Layout): Tensor {
  switch (layout) {
    case 'conv':
      return tf.transpose(variable, [3, 2, 0, 1]);
    case 'linear':
      return tf.transpose(variable, [1, 0]);
    case 'vector':
      return variable;
  }
}
