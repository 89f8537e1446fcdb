import { realpath } from 'node:fs/promises';
import { createBatches } from '../data/batches';
import { splitByClass } from '../data/split';
import { embeddedEngine, engineChoiceSchema } from '../../protocol/container';
import { parse } from '../../protocol/schema';
import { loadEngine } from '../engines/engine';
import { createLearner } from '../parallel/createLearner';
import { Datasets } from '../recipes/classifier/datasets';
import { classifierTask } from '../recipes/classifier/task';
import { readTensors } from '../../volume/safetensors';
import { isTrainingState } from '../recipes/weights/trainingState';
import type { CheckpointFacts } from './checkpointFacts';
import { readCheckpointFacts } from './checkpointFacts';
import type { EvaluatedSplit, Evaluation } from './evaluation';
import { EvaluationError } from './evaluation';
import { Tally } from './tally';

export interface EvaluateOptions {
  readonly checkpoint: string;
  /** Folder of images, one sub-folder for each class, or `sample`. */
  readonly dataDir: string;
  /** `val` and `train`: the share of the images that the checkpoint's run validated on, or trained on. */
  readonly split: EvaluatedSplit;
  /** Folder of the data volume, for decoded images. */
  readonly dataVolume: string;
  readonly wasmDir: string;
  readonly enginesDir: string;
  readonly engine: string;
  readonly log: (text: string) => void;
  readonly stop: AbortSignal;
}

/**
 * Scores a checkpoint of the classifier on a folder of images, as training scores its validation images. Classes are
 * matched by name.
 * @throws EvaluationError, SafetensorsError and DataError with a message for the user
 * @throws the reason of `stop` once that is aborted
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { checkpoint, dataDir, log, stop } = options;
  const facts = await readCheckpointFacts(checkpoint);
  const { backbone, stemChannels, classes, preprocessing, params } = facts;
  const datasets = new Datasets(options.dataVolume, options.wasmDir);
  const folder = await datasets.scan(dataDir, { minimumClasses: 1 });
  const labelOf = matchClasses(folder.classes, classes, dataDir);
  const isOwn =
    folder.classes.join('\n') === classes.join('\n') && (await sameFolder(params.data_dir, dataDir));
  const split = options.split !== 'auto' ? options.split : isOwn ? 'val' : 'all';
  const engine = await loadEngine(embeddedEngine(parse(engineChoiceSchema, options.engine, '--engine')), {
    ...options,
    // Which engine was passed over, and why, is for "doctor" to say: the result names the one that computed.
    log: () => undefined,
  });
  const dataset = await datasets.load(folder, preprocessing.image_size, {
    log: (_level, text) => log(text),
    stop,
  });
  const learner = await createLearner(
    classifierTask,
    {
      backbone,
      classes: classes.length,
      imageSize: preprocessing.image_size,
      ...(stemChannels === undefined ? {} : { stemChannels }),
    },
    { engine },
  );
  try {
    const tensors = [...(await readTensors(checkpoint))].filter(([name]) => !isTrainingState(name));
    await learner.initialise(0);
    await learner.loadParameters(tensors.map(([name, { shape, data }]) => ({ name, shape, data })));
    const parts = splitByClass(dataset.labels, split === 'all' ? 0 : params.val_split, params.seed);
    const indices = split === 'val' ? parts.validation : parts.train;
    const tally = new Tally(classes.length);
    const batches = createBatches(dataset, indices, {
      mean: preprocessing.mean,
      std: preprocessing.std,
      batchSize: params.batch_size,
    });
    for await (const { images, labels } of batches) {
      stop.throwIfAborted();
      const side = preprocessing.image_size;
      const { logits } = await learner.predict({
        images: { data: images, shape: [labels.length, side, side, 3] },
      });
      tally.add(
        logits?.data ?? new Float32Array(),
        Array.from(labels, (label) => labelOf[label] ?? -1),
      );
    }
    return {
      ...summary(tally, classes),
      skipped: dataset.skipped.length,
      split,
      of_images: dataset.count,
      images_changed: isOwn && differs(facts, dataset.countsPerClass),
      engine: engine.name,
      device: engine.device,
    };
  } finally {
    await learner.dispose();
    await dataset.close();
  }
}

/** Whether both lead to one folder, by whatever links. */
async function sameFolder(one: string, other: string): Promise<boolean> {
  const resolved = (path: string) => realpath(path).catch(() => path);
  return one === other || (await resolved(one)) === (await resolved(other));
}

function differs({ imagesPerClass }: CheckpointFacts, now: readonly number[]): boolean {
  return imagesPerClass !== undefined && imagesPerClass.join() !== now.join();
}

/** For each class of the data, its index in the checkpoint's. */
function matchClasses(found: readonly string[], known: readonly string[], dataDir: string): number[] {
  const unknown = found.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const list = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(', ');
    throw new EvaluationError(
      `${dataDir} has classes that the checkpoint does not know: ${list(unknown)}. It knows ${list(known)}.`,
    );
  }
  return found.map((name) => known.indexOf(name));
}

function summary(
  { confusion, loss }: Tally,
  classes: readonly string[],
): Pick<Evaluation, 'images' | 'correct' | 'accuracy' | 'loss' | 'classes' | 'confusion'> {
  const sum = (counts: readonly number[]) => counts.reduce((total, value) => total + value, 0);
  const perClass = classes.map((name, index) => {
    const images = sum(confusion[index] ?? []);
    const correct = confusion[index]?.[index] ?? 0;
    return { name, images, correct, accuracy: images === 0 ? null : correct / images };
  });
  const images = sum(perClass.map((each) => each.images));
  const correct = sum(perClass.map((each) => each.correct));
  return { images, correct, accuracy: correct / images, loss, classes: perClass, confusion };
}
