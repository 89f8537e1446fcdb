import type { Rank, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { Engine } from '../../engines/engine';
import type { Initializer, ParameterStore } from './parameterStore';

/** Sinusoids of the timestep's features, half of them cosines. */
const TIME_FEATURES = 256;
const LONGEST_PERIOD = 10_000;
/** Times lie in [0, 1]; the sinusoids were made for steps of a thousand. */
const TIME_SCALE = 1000;

/**
 * Of class vectors: as large as what the timestep's network gives. DiT's 0.02 is for wide networks; in a narrow one the
 * condition would be so small that the layers that it modulates learn slowly.
 */
const CLASS_STD = 0.4;

/** Grids have few places: with the usual 10,000 most sinusoids would be the same at all of them. */
const LONGEST_GRID_PERIOD = 100;

export const ZERO: Initializer = { kind: 'constant', value: 0 };
/** Keeps signals and gradients alike in size (Glorot and Bengio, 2010), drawn normally. */
export const xavier = (from: number, to: number): Initializer => ({
  kind: 'normal',
  std: Math.sqrt(2 / (from + to)),
});

/** Fully connected with bias over the last axis: [..., from] -> [..., to]. Xavier unless said otherwise. */
export function dense(
  { tf }: Engine,
  store: ParameterStore,
  name: string,
  { from, to, initializer = xavier(from, to) }: { from: number; to: number; initializer?: Initializer },
): (x: Tensor) => Tensor {
  const weight = store.declare<Rank.R2>(`${name}.weight`, [from, to], {
    layout: 'linear',
    initializer,
    trainable: true,
  });
  const bias = store.declare<Rank.R1>(`${name}.bias`, [to], {
    layout: 'vector',
    initializer: ZERO,
    trainable: true,
  });
  return (x) => {
    const rows: Tensor2D = tf.reshape(x, [-1, from]);
    return tf.reshape(tf.add(tf.matMul(rows, weight), bias), [...x.shape.slice(0, -1), to]);
  };
}

/** Sinusoids of the times, through two layers: [B] in [0, 1] -> [B, width]. */
export function timestepEmbedding(
  engine: Engine,
  store: ParameterStore,
  name: string,
  width: number,
): (time: Tensor) => Tensor {
  const { tf, ops } = engine;
  const first = dense(engine, store, `${name}.mlp.0`, { from: TIME_FEATURES, to: width });
  const second = dense(engine, store, `${name}.mlp.2`, { from: width, to: width });
  const half = TIME_FEATURES / 2;
  const frequencies = Float32Array.from(
    { length: half },
    (_, index) => TIME_SCALE * LONGEST_PERIOD ** (-index / half),
  );
  return (time) => {
    const angles = tf.mul(tf.reshape(time, [-1, 1]), tf.tensor2d(frequencies, [1, half]));
    return second(ops.silu(first(tf.concat([tf.cos(angles), tf.sin(angles)], 1))));
  };
}

/** One learned vector for each class: int32 [B] -> [B, width]. */
export function classEmbedding(
  { tf }: Engine,
  store: ParameterStore,
  name: string,
  { classes, width }: { classes: number; width: number },
): (labels: Tensor) => Tensor {
  const table = store.declare<Rank.R2>(`${name}.embedding_table.weight`, [classes, width], {
    layout: 'vector',
    initializer: { kind: 'normal', std: CLASS_STD },
    trainable: true,
  });
  // A product with one-hot rows: unlike a gather it has a gradient on every engine.
  return (labels) => {
    const chosen = tf.oneHot(tf.cast(labels, 'int32'), classes);
    return tf.matMul(tf.reshape<Rank.R2>(chosen, [-1, classes]), table);
  };
}

/**
 * Sinusoids that tell the places of a square grid apart, [side * side, width], row by row: a quarter each for sine and cosine of
 * the column and of the row (as in MAE and DiT). `width` is divisible by 4.
 */
export function gridPositions(side: number, width: number): Float32Array {
  const quarter = width / 4;
  const out = new Float32Array(side * side * width);
  for (let place = 0; place < side * side; place += 1) {
    [place % side, Math.floor(place / side)].forEach((position, axis) => {
      for (let index = 0; index < quarter; index += 1) {
        const angle = position / LONGEST_GRID_PERIOD ** (index / quarter);
        const at = place * width + axis * 2 * quarter + index;
        out[at] = Math.sin(angle);
        out[at + quarter] = Math.cos(angle);
      }
    });
  }
  return out;
}

/** Multi-head attention of all tokens to all: [B, T, width] -> [B, T, width]. */
export function selfAttention(
  engine: Engine,
  store: ParameterStore,
  name: string,
  { width, heads }: { width: number; heads: number },
): (x: Tensor) => Tensor {
  const { ops } = engine;
  const qkv = dense(engine, store, `${name}.qkv`, { from: width, to: 3 * width });
  const project = dense(engine, store, `${name}.proj`, { from: width, to: width });
  return (x) => project(ops.attention(qkv(x), heads));
}

/** Two layers with a GELU between them, on each token. */
export function feedForward(
  engine: Engine,
  store: ParameterStore,
  name: string,
  { width, hidden }: { width: number; hidden: number },
): (x: Tensor) => Tensor {
  const first = dense(engine, store, `${name}.fc1`, { from: width, to: hidden });
  const second = dense(engine, store, `${name}.fc2`, { from: hidden, to: width });
  return (x) => second(engine.ops.gelu(first(x)));
}

/**
 * adaLN-zero: vectors for each example from its condition [B, width], by a layer that starts at zero.
 * @returns a function from the condition to its vectors by name, each [B, 1, width]
 */
export function modulation<Part extends string>(
  engine: Engine,
  store: ParameterStore,
  name: string,
  { width, parts }: { width: number; parts: readonly Part[] },
): (condition: Tensor) => (part: Part) => Tensor {
  const { tf } = engine;
  const layer = dense(engine, store, `${name}.adaLN_modulation.1`, {
    from: width,
    to: parts.length * width,
    initializer: ZERO,
  });
  return (condition) => {
    const vectors = tf.split(tf.expandDims(layer(condition), 1), parts.length, 2);
    return (part) => {
      const vector = vectors[parts.indexOf(part)];
      if (vector === undefined) {
        throw new Error(`a modulation has no part "${part}"`);
      }
      return vector;
    };
  };
}
