import type { Rank, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { Engine } from '../../engines/engine';
import { ParameterStore } from '../nn/parameterStore';
import {
  ZERO,
  classEmbedding,
  dense,
  feedForward,
  gridPositions,
  modulation,
  selfAttention,
  timestepEmbedding,
  xavier,
} from '../nn/transformer';

/** DiT's, without gain and bias: adaLN has them. */
const EPSILON = 1e-6;
const MLP_RATIO = 4;
const CHANNELS = 3;
/** Times are divided by; below this one would blow up what little is left to predict. */
const SHORTEST_TIME = 0.05;

/** What determines the shapes of a TinyDiT. */
export interface DitShape {
  /** Side of the square images in pixels; a multiple of `patchSize`. */
  readonly imageSize: number;
  readonly patchSize: number;
  /** Width of a token; divisible by 4 and by `heads`. */
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Without the null class, which has the index `classes`. */
  readonly classes: number;
}

/** Numbers in a token of pixels: row, column, channel. */
export function patchLength({ patchSize }: Pick<DitShape, 'patchSize'>): number {
  return patchSize * patchSize * CHANNELS;
}

/** Tokens in an image. */
export function tokenCount({ imageSize, patchSize }: Pick<DitShape, 'imageSize' | 'patchSize'>): number {
  return (imageSize / patchSize) ** 2;
}

export interface DitNetwork {
  readonly store: ParameterStore;
  /**
   * The velocity at `x`, as tokens of pixels [B, T, patchLength], at the times [B] in [0, 1], for the classes [B]; the
   * same shape as x. The last layer gives the image that x leads to, and the velocity follows from it: a narrow network
   * need not carry the noise through all its blocks (Li and He, "Back to Basics: Let Denoising Generative Models
   * Denoise", 2025).
   */
  velocity(x: Tensor, time: Tensor, label: Tensor): Tensor;
}

/**
 * A diffusion transformer with adaLN-zero (Peebles and Xie, "Scalable Diffusion Models with Transformers", 2023), on
 * pixels. Parameters are named and laid out as in the authors' implementation.
 */
export function ditNetwork(engine: Engine, shape: DitShape): DitNetwork {
  const { tf, ops } = engine;
  const { imageSize, patchSize, width, depth, heads, classes } = shape;
  const tokens = tokenCount(shape);
  const pixels = patchLength(shape);
  const store = new ParameterStore(engine);

  const patchWeight = store.declare<Rank.R4>(
    'x_embedder.proj.weight',
    [patchSize, patchSize, CHANNELS, width],
    { layout: 'conv', initializer: xavier(pixels, width), trainable: true },
  );
  const patchBias = store.declare<Rank.R1>('x_embedder.proj.bias', [width], {
    layout: 'vector',
    initializer: ZERO,
    trainable: true,
  });
  const positions = store.declare<Rank.R3>('pos_embed', [1, tokens, width], {
    layout: 'vector',
    initializer: { kind: 'values', values: gridPositions(imageSize / patchSize, width) },
    trainable: true,
  });
  const timeOf = timestepEmbedding(engine, store, 't_embedder', width);
  const classOf = classEmbedding(engine, store, 'y_embedder', { classes: classes + 1, width });
  const blocks = Array.from({ length: depth }, (_, index) =>
    ditBlock(engine, store, `blocks.${index}`, { width, heads }),
  );
  const finalModulation = modulation(engine, store, 'final_layer', { width, parts: ['shift', 'scale'] });
  const finalLayer = dense(engine, store, 'final_layer.linear', {
    from: width,
    to: pixels,
    initializer: ZERO,
  });

  // A convolution with its own size as stride is a product of patches.
  const embed = (x: Tensor): Tensor => {
    const rows: Tensor2D = tf.reshape(x, [-1, pixels]);
    const weight: Tensor2D = tf.reshape(patchWeight, [pixels, width]);
    return tf.reshape(tf.add(tf.matMul(rows, weight), patchBias), [-1, tokens, width]);
  };

  return {
    store,
    velocity: (x, time, label) => {
      const condition = ops.silu(tf.add(timeOf(time), classOf(label)));
      let h: Tensor = tf.add(embed(x), positions);
      for (const block of blocks) {
        h = block(h, condition);
      }
      const part = finalModulation(condition);
      const image = finalLayer(modulated(engine, h, part('shift'), part('scale')));
      return tf.div(tf.sub(x, image), tf.maximum(tf.reshape(time, [-1, 1, 1]), SHORTEST_TIME));
    },
  };
}

/** Attention and feed-forward, each scaled, shifted and gated by the condition; the identity at the start. */
function ditBlock(
  engine: Engine,
  store: ParameterStore,
  name: string,
  { width, heads }: { width: number; heads: number },
): (x: Tensor, condition: Tensor) => Tensor {
  const { tf } = engine;
  const attention = selfAttention(engine, store, `${name}.attn`, { width, heads });
  const mlp = feedForward(engine, store, `${name}.mlp`, { width, hidden: MLP_RATIO * width });
  const modulate = modulation(engine, store, name, {
    width,
    parts: ['attn shift', 'attn scale', 'attn gate', 'mlp shift', 'mlp scale', 'mlp gate'],
  });
  return (x, condition) => {
    const part = modulate(condition);
    const attended = attention(modulated(engine, x, part('attn shift'), part('attn scale')));
    const h = tf.add(x, tf.mul(attended, part('attn gate')));
    return tf.add(
      h,
      tf.mul(mlp(modulated(engine, h, part('mlp shift'), part('mlp scale'))), part('mlp gate')),
    );
  };
}

/** Layer norm of x [B, T, width], scaled and shifted by vectors of each example [B, 1, width]. */
function modulated({ tf, ops }: Engine, x: Tensor, shift: Tensor, scale: Tensor): Tensor {
  return tf.add(tf.mul(ops.layerNorm(x, EPSILON), tf.add(scale, 1)), shift);
}
