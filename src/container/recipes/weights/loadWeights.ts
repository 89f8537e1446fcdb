import type { TensorData } from '../../../volume/safetensors';
import type { RunContext } from '../recipe';
import type { Learner } from '../task';
import { fitWeights } from './fitWeights';
import { isTrainingState } from './trainingState';
import { withWeights } from './weightsFile';

/**
 * Batches that running statistics are taken to stand for where the file does not say: as many as make the next batch
 * count no more than it does in the long run, with the smallest momentum of all networks here.
 */
const TRACKED_BATCHES = 100;

/**
 * Puts a file's weights into the learner's network, and leaves a head for other classes as it is.
 * @param what the parameter that named the file
 * @param head what names of the last layer begin with
 * @throws RunFailure if the file cannot be read or does not fit
 */
export async function loadWeights(
  { log }: Pick<RunContext, 'log'>,
  learner: Learner,
  { what, path, head }: { what: string; path: string; head: string },
): Promise<void> {
  const own = await learner.exportParameters();
  const network = new Map(own.map(({ name, shape }) => [name, shape]));
  await withWeights(what, path, async (file) => {
    const shapes = new Map([...file.shapes].filter(([name]) => !isTrainingState(name)));
    const { names, fresh, missingCounters } = fitWeights(`${what}: ${path}`, network, shapes, head);
    const read = await file.read(names);
    await learner.loadParameters([...read.map(known), ...missingCounters.map(counter)]);
    const note =
      fresh.length === 0
        ? ''
        : ` The last layer (${fresh.join(', ')}) is new, since the file's is for other classes.`;
    log('info', `Took ${read.length} tensors from ${path}.${note}`);
  });
}

const counter = (name: string): TensorData => ({ name, shape: [], data: Float32Array.of(TRACKED_BATCHES) });

/** Files that were converted say 0 batches, although their statistics are those of a whole training. */
function known(tensor: TensorData): TensorData {
  return tensor.name.endsWith('.num_batches_tracked') && tensor.data[0] === 0 ? counter(tensor.name) : tensor;
}
