import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Engine } from '../../engines/engine';
import type { Layer, StatisticsUpdate } from '../nn/layers';
import { batchNorm2d, conv2d, linear } from '../nn/layers';
import { ParameterStore } from '../nn/parameterStore';

/** A network that maps normalised images [B, H, W, 3] to logits [B, classes]. */
export interface Network {
  readonly store: ParameterStore;
  /** In training mode the running statistics change only once `pending` is run. */
  forward(images: Tensor4D, training: boolean): Tensor2D;
  readonly pending: StatisticsUpdate[];
}

const STEM_CHANNELS = 16;
const STAGE_CHANNELS = [32, 64, 128];

/**
 * A small residual network of 0.3 million parameters for images of 32 to 128 pixels: a stem and three residual
 * blocks (He et al., "Deep Residual Learning", 2015), each of which halves the side. The stem halves it too where
 * images are larger than 32 pixels. Names are torchvision's.
 */
export function tinyCnn(
  engine: Engine,
  { classes, imageSize }: { classes: number; imageSize: number },
): Network {
  const { tf } = engine;
  const store = new ParameterStore(engine);
  const pending: StatisticsUpdate[] = [];
  const stem = conv2d(engine, store, 'conv1', {
    from: 3,
    to: STEM_CHANNELS,
    kernel: 3,
    stride: imageSize > 32 ? 2 : 1,
  });
  const stemNorm = batchNorm2d(engine, store, 'bn1', STEM_CHANNELS, { pending });
  let from = STEM_CHANNELS;
  const blocks = STAGE_CHANNELS.map((to, index) => {
    const block = residualBlock(engine, store, `layer${index + 1}.0`, { from, to, pending });
    from = to;
    return block;
  });
  const head = linear(engine, store, 'fc', { from, to: classes });

  return {
    store,
    pending,
    forward: (images, training) => {
      let x = tf.relu(stemNorm(stem(images, training), training));
      for (const block of blocks) {
        x = block(x, training);
      }
      return head(tf.mean(x, [1, 2]));
    },
  };
}

function residualBlock(
  engine: Engine,
  store: ParameterStore,
  name: string,
  { from, to, pending }: { from: number; to: number; pending: StatisticsUpdate[] },
): Layer {
  const { tf } = engine;
  const conv1 = conv2d(engine, store, `${name}.conv1`, { from, to, kernel: 3, stride: 2 });
  const norm1 = batchNorm2d(engine, store, `${name}.bn1`, to, { pending });
  const conv2 = conv2d(engine, store, `${name}.conv2`, { from: to, to, kernel: 3, stride: 1 });
  const norm2 = batchNorm2d(engine, store, `${name}.bn2`, to, { pending });
  const shortcut = conv2d(engine, store, `${name}.downsample.0`, { from, to, kernel: 1, stride: 2 });
  const shortcutNorm = batchNorm2d(engine, store, `${name}.downsample.1`, to, { pending });
  return (x, training) => {
    const inner = tf.relu(norm1(conv1(x, training), training));
    const residual = norm2(conv2(inner, training), training);
    return tf.relu(tf.add<Tensor4D>(residual, shortcutNorm(shortcut(x, training), training)));
  };
}
