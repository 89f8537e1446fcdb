import type { BackboneName } from '../../../../protocol/backbones';
import type { Engine } from '../../../engines/engine';
import { MOBILENET_V3_SMALL_HEAD_INPUTS, mobilenetV3Small } from './mobilenetV3';
import type { BuildNetwork, Network, NetworkOptions } from './network';
import { resnet, resnetHeadInputs } from './resnet';
import { TINY_CNN_HEAD_INPUTS, TINY_CNN_STEM_CHANNELS, tinyCnn } from './tinyCnn';

export type { ForwardOptions, Network, NetworkOptions } from './network';

interface Backbone {
  readonly build: BuildNetwork;
  /** Inputs of the last layer, before which dropout takes place. */
  readonly headInputs: number;
  /** Names begin so in the last layer, which depends on the classes. */
  readonly head: string;
  /** Channels of a stem of 3x3 filters whose width and first weights follow from what a run starts with; none if not given. */
  readonly stemChannels?: number;
}

const backbones: Record<BackboneName, Backbone> = {
  tiny_cnn: {
    build: tinyCnn,
    headInputs: TINY_CNN_HEAD_INPUTS,
    head: 'fc.',
    stemChannels: TINY_CNN_STEM_CHANNELS,
  },
  resnet18: { build: resnet('basic', [2, 2, 2, 2]), headInputs: resnetHeadInputs('basic'), head: 'fc.' },
  resnet34: { build: resnet('basic', [3, 4, 6, 3]), headInputs: resnetHeadInputs('basic'), head: 'fc.' },
  resnet50: {
    build: resnet('bottleneck', [3, 4, 6, 3]),
    headInputs: resnetHeadInputs('bottleneck'),
    head: 'fc.',
  },
  mobilenet_v3_small: {
    build: mobilenetV3Small,
    headInputs: MOBILENET_V3_SMALL_HEAD_INPUTS,
    head: 'classifier.3.',
  },
};

/** Builds a network with weights that are yet to be initialised. */
export function buildNetwork(engine: Engine, backbone: BackboneName, options: NetworkOptions): Network {
  return backbones[backbone].build(engine, options);
}

/** What is known of a backbone without building it. */
export function backboneFacts(backbone: BackboneName): Omit<Backbone, 'build'> {
  return backbones[backbone];
}

/** The stem's channels in stored weights of a backbone; undefined where they do not say, or it has no such stem. */
export function storedStemChannels(
  backbone: BackboneName,
  shapes: ReadonlyMap<string, readonly number[]>,
): number | undefined {
  const [channels, ...filter] = shapes.get('conv1.weight') ?? [];
  return backbones[backbone].stemChannels !== undefined && filter.join() === '3,3,3' ? channels : undefined;
}
