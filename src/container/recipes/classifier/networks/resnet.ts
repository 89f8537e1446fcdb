import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Engine } from '../../../engines/engine';
import type { Layer, StatisticsUpdate } from '../../nn/layers';
import { batchNorm2d, conv2d, linear } from '../../nn/layers';
import { ParameterStore } from '../../nn/parameterStore';
import type { BuildNetwork } from './network';
import { dropOut } from './network';

type BlockKind = 'basic' | 'bottleneck';

const STEM_CHANNELS = 64;

/** Channels of a block's result over those inside it. */
const EXPANSION: Record<BlockKind, number> = { basic: 1, bottleneck: 4 };

/** Inputs of the last layer. */
export function resnetHeadInputs(kind: BlockKind): number {
  return STEM_CHANNELS * 8 * EXPANSION[kind];
}

/**
 * He et al., "Deep Residual Learning for Image Recognition", 2015, as torchvision builds it (the stride of a bottleneck
 * is in its 3x3 convolution), with torchvision's names.
 * @param depths blocks of each stage
 */
export function resnet(kind: BlockKind, depths: readonly number[]): BuildNetwork {
  return (engine, { classes }) => {
    const { tf } = engine;
    const store = new ParameterStore(engine);
    const pending: StatisticsUpdate[] = [];
    const stem = conv2d(engine, store, 'conv1', { from: 3, to: STEM_CHANNELS, kernel: 7, stride: 2 });
    const stemNorm = batchNorm2d(engine, store, 'bn1', STEM_CHANNELS, { pending });
    let from = STEM_CHANNELS;
    const blocks = depths.flatMap((depth, stage) =>
      Array.from({ length: depth }, (_, index) => {
        const width = STEM_CHANNELS * 2 ** stage;
        const stride = stage > 0 && index === 0 ? 2 : 1;
        const block = residualBlock(kind, { engine, store, pending }, `layer${stage + 1}.${index}`, {
          from,
          width,
          stride,
        });
        from = width * EXPANSION[kind];
        return block;
      }),
    );
    const head = linear(engine, store, 'fc', { from: resnetHeadInputs(kind), to: classes });

    return {
      store,
      pending,
      forward: (images, options) => {
        const { training } = options;
        let x = tf.relu(stemNorm(stem(images, training), training));
        x = tf.maxPool(x, 3, 2, 1);
        for (const block of blocks) {
          x = block(x, training);
        }
        return head(dropOut(engine, tf.mean<Tensor2D>(x, [1, 2]), options));
      },
    };
  };
}

interface Parts {
  engine: Engine;
  store: ParameterStore;
  pending: StatisticsUpdate[];
}

function residualBlock(
  kind: BlockKind,
  { engine, store, pending }: Parts,
  name: string,
  { from, width, stride }: { from: number; width: number; stride: number },
): Layer {
  const { tf } = engine;
  const to = width * EXPANSION[kind];
  const unit = (
    conv: string,
    norm: string,
    options: { from: number; to: number; kernel: number; stride?: number },
  ) => {
    const convolution = conv2d(engine, store, `${name}.${conv}`, options);
    const normalisation = batchNorm2d(engine, store, `${name}.${norm}`, options.to, { pending });
    return (x: Tensor4D, training: boolean) => normalisation(convolution(x, training), training);
  };
  const units =
    kind === 'basic'
      ? [
          unit('conv1', 'bn1', { from, to: width, kernel: 3, stride }),
          unit('conv2', 'bn2', { from: width, to, kernel: 3 }),
        ]
      : [
          unit('conv1', 'bn1', { from, to: width, kernel: 1 }),
          unit('conv2', 'bn2', { from: width, to: width, kernel: 3, stride }),
          unit('conv3', 'bn3', { from: width, to, kernel: 1 }),
        ];
  const shortcut =
    stride === 1 && from === to
      ? undefined
      : unit('downsample.0', 'downsample.1', { from, to, kernel: 1, stride });
  return (input, training) => {
    const residual = units.reduce((x, layer, index) => layer(index === 0 ? x : tf.relu(x), training), input);
    return tf.relu(tf.add<Tensor4D>(residual, shortcut === undefined ? input : shortcut(input, training)));
  };
}
