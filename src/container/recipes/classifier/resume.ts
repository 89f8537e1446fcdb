import { copyFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import * as v from 'valibot';
import { parameterValuesSchema } from '../../../protocol/parameters';
import { parse } from '../../../protocol/schema';
import { OutputsVolume, RUN_FILES, isRunId } from '../../../volume/outputsVolume';
import { readHeader, readTensors } from '../../../volume/safetensors';
import type { Dataset } from '../../data/dataset';
import type { RunContext } from '../recipe';
import { RunFailure } from '../recipe';
import type { Learner } from '../task';
import { isTrainingState } from '../weights/trainingState';
import { tellOfCheckpoint } from './checkpoints';
import { storedStemChannels } from './networks';
import type { ClassifierParams } from './params';
import { classifierParams } from './params';
import type { Progress } from './progress';
import { progressSchema } from './progress';

/** A run to go on with. */
export interface Resumption {
  readonly dir: string;
  /** Those of the run, with what may differ from it: `epochs` and `output`. */
  readonly params: ClassifierParams;
  readonly progress: Progress;
  readonly classes: readonly string[];
  readonly imagesPerClass: readonly number[];
  readonly engine: string;
  /** Of a `tiny_cnn`, as its checkpoint has them. */
  readonly stemChannels: number | undefined;
}

const metadataSchema = v.object({
  recipe: v.literal('classifier'),
  progress: v.string(),
  params: v.string(),
  classes: v.string(),
  images_per_class: v.string(),
  engine: v.string(),
});

/**
 * Reads what the run that `params.resume` names has left.
 * @throws RunFailure if it left nothing to go on with, saying why
 */
export async function readResumption(
  { outputsDir }: Pick<RunContext, 'outputsDir'>,
  params: ClassifierParams,
): Promise<Resumption> {
  const dir = await findRunFolder(outputsDir, params.resume);
  const path = join(dir, RUN_FILES.last);
  try {
    const header = await readHeader(path);
    const metadata = v.parse(metadataSchema, header.metadata);
    const saved = classifierParams(
      parse(parameterValuesSchema, JSON.parse(metadata.params), 'params'),
      metadata.engine,
    );
    return {
      dir,
      params: { ...saved, epochs: params.epochs, output: params.output, resume: params.resume },
      progress: parse(progressSchema, JSON.parse(metadata.progress), 'progress'),
      classes: parse(v.array(v.string()), JSON.parse(metadata.classes), 'classes'),
      imagesPerClass: parse(v.array(v.number()), JSON.parse(metadata.images_per_class), 'images_per_class'),
      engine: metadata.engine,
      stemChannels: storedStemChannels(
        saved.backbone,
        new Map(header.tensors.map(({ name, shape }) => [name, shape])),
      ),
    };
  } catch (error) {
    const reason = v.isValiError(error)
      ? `${path} holds no state of a classifier's training`
      : error instanceof Error
        ? error.message
        : String(error);
    throw new RunFailure('parameters', `resume: the run cannot be gone on with: ${reason}`);
  }
}

async function findRunFolder(outputsDir: string, resumed: string): Promise<string> {
  if (!isRunId(resumed)) {
    return isAbsolute(resumed) ? resumed : resolve(outputsDir, resumed);
  }
  const dir = await new OutputsVolume(outputsDir).findRun(resumed);
  if (dir === undefined) {
    throw new RunFailure('parameters', `resume: there is no run "${resumed}" in ${outputsDir}`);
  }
  return dir;
}

/** @throws RunFailure if the images are not those that the run had */
export function checkSameData(
  { classes, imagesPerClass }: Resumption,
  dataset: Pick<Dataset, 'classes' | 'countsPerClass'>,
): void {
  const text = (names: readonly string[], counts: readonly number[]) =>
    names.map((name, index) => `${counts[index] ?? 0} of ${name}`).join(', ');
  const before = text(classes, imagesPerClass);
  const now = text(dataset.classes, dataset.countsPerClass);
  if (before !== now) {
    throw new RunFailure(
      'data',
      `resume: the run had other images (${before}; now there are ${now}). Start a new run with init_from instead.`,
    );
  }
}

/** Puts the run's weights and optimiser into the learner. @throws RunFailure if they are not whole */
export async function restoreLearner({ dir }: Resumption, learner: Learner): Promise<void> {
  try {
    const tensors = [...(await readTensors(join(dir, RUN_FILES.last)))].map(([name, { shape, data }]) => ({
      name,
      shape,
      data,
    }));
    await learner.loadParameters(tensors.filter(({ name }) => !isTrainingState(name)));
    await learner.loadState(tensors.filter(({ name }) => isTrainingState(name)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RunFailure('parameters', `resume: the run cannot be gone on with: ${reason}`);
  }
}

/**
 * Takes the resumed run's best checkpoint into this one's folder.
 * @returns the progress to start from: without a best epoch where its checkpoint is gone
 */
export async function takeOverBest(run: RunContext, { dir, progress }: Resumption): Promise<Progress> {
  const { best } = progress;
  if (best === null) {
    return { ...progress };
  }
  try {
    if (dir !== run.runDir) {
      await copyFile(join(dir, RUN_FILES.best), join(run.runDir, RUN_FILES.best));
    }
  } catch {
    run.log('warning', `The best checkpoint of the run in ${dir} is gone: the best is looked for anew.`);
    return { ...progress, best: null };
  }
  await tellOfCheckpoint(run, 'best', best.epoch, best.val_acc);
  return { ...progress };
}
