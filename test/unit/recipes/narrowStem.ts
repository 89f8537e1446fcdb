import { readHeader, readTensors, writeSafetensors } from '../../../src/volume/safetensors';

/** Channels of the stem in checkpoints from before the stem was widened. */
export const NARROW = 16;

/** Writes a checkpoint of `tiny_cnn` again as one with a narrow stem: the first channels of its own. */
export async function writeNarrowed(from: string, to: string): Promise<void> {
  const tensors = [...(await readTensors(from))].map(([name, { shape, data }]) => {
    // The embedded engines' optimisers have the engine's layout, HWIO, everything else has PyTorch's, OIHW.
    const [outputs, inputs] = shape[0] === 3 || shape[0] === 1 ? [3, 2] : [0, 1];
    if (/(^|\/)(conv1\.weight|bn1\.(weight|bias|running_mean|running_var))(\/[mv])?$/.test(name)) {
      return { name, ...firstAlong({ shape, data }, shape.length === 1 ? 0 : outputs) };
    }
    if (/(^|\/)layer1\.0\.(conv1|downsample\.0)\.weight(\/[mv])?$/.test(name)) {
      return { name, ...firstAlong({ shape, data }, inputs) };
    }
    return { name, shape, data };
  });
  await writeSafetensors(to, tensors, (await readHeader(from)).metadata);
}

interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The first values of a tensor along one axis. */
function firstAlong({ shape, data }: Values, axis: number): Values {
  const extent = shape[axis] ?? 0;
  const inner = shape.slice(axis + 1).reduce((product, each) => product * each, 1);
  return {
    shape: shape.with(axis, NARROW),
    data: data.filter((_, place) => Math.floor(place / inner) % extent < NARROW),
  };
}

export async function stemShape(path: string): Promise<readonly number[] | undefined> {
  const { tensors } = await readHeader(path);
  return tensors.find(({ name }) => name === 'conv1.weight')?.shape;
}
