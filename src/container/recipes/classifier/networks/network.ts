import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Engine } from '../../../engines/engine';
import type { StatisticsUpdate } from '../../nn/layers';
import type { ParameterStore } from '../../nn/parameterStore';

export interface ForwardOptions {
  /** Chooses batch statistics over running ones, which change only once `pending` is run. */
  readonly training: boolean;
  /** Dropout before the last layer: factors [B, `headInputs`] of its inputs; none without it. */
  readonly mask?: Tensor2D;
}

/** A network that maps normalised images [B, H, W, 3] to logits [B, classes]. */
export interface Network {
  readonly store: ParameterStore;
  readonly pending: StatisticsUpdate[];
  forward(images: Tensor4D, options: ForwardOptions): Tensor2D;
}

export interface NetworkOptions {
  readonly classes: number;
  /** Side of the images, in pixels. */
  readonly imageSize: number;
  /** Of `tiny_cnn`, whose older checkpoints have a narrower stem; what fresh networks have if not given. */
  readonly stemChannels?: number | undefined;
}

export type BuildNetwork = (engine: Engine, options: NetworkOptions) => Network;

/** Drops what the mask says, if there is one. */
export function dropOut({ tf }: Engine, x: Tensor2D, { training, mask }: ForwardOptions): Tensor2D {
  return training && mask !== undefined ? tf.mul<Tensor2D>(x, mask) : x;
}
