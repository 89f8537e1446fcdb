import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { skippedFacts } from '../skippedFacts';
import type { TensorData } from '../../../volume/safetensors';
import { CLASSIFIER } from '../../../protocol/recipes';
import { imagenetPreprocessing } from '../../data/batch';
import type { Dataset } from '../../data/dataset';
import type { ImageFolder } from '../../data/imageFolder';
import { splitByClass, type Split } from '../../data/split';
import { RUN_FILES } from '../../../volume/outputsVolume';
import type { Outcome, Preparation, Recipe, RunContext, WarmState } from '../recipe';
import type { Batch, Learner } from '../task';
import { loadWeights } from '../weights/loadWeights';
import { Batches } from './batches';
import { Datasets } from './datasets';
import { trainEpochs } from './epochs';
import { backboneFacts } from './networks';
import { resolveOutput } from './outputFile';
import type { ClassifierParams } from './params';
import { classifierParams } from './params';
import type { Progress } from './progress';
import { START } from './progress';
import type { Resumption } from './resume';
import { trainDummies } from '../warmUp';
import { checkSameData, readResumption, restoreLearner, takeOverBest } from './resume';
import { findStartingWeights } from './startingWeights';
import { whiteningStem } from './stem';
import { classifierTask } from './task';

const WARM_UP_CLASSES = 2;
const MOST_BATCH_WORKERS = 4;

/** The design's `train_classifier`. */
export function createClassifier(warm: WarmState): Recipe {
  return new Classifier(warm);
}

class Classifier implements Recipe {
  readonly name = CLASSIFIER.name;
  private readonly datasets: Datasets;
  /** First filters by the data set that they were made from, those of its last split, so that a rerun begins at once. */
  private readonly stems = new WeakMap<Dataset, { splitBy: string; stem: TensorData }>();

  constructor(private readonly warm: WarmState) {
    this.datasets = new Datasets(warm.dataDir, warm.wasmDir);
  }

  async warmUp(preparation: Preparation): Promise<void> {
    const { engine } = this.warm;
    const params = classifierParams(preparation.params, engine.name);
    const { image_size: side, batch_size: batchSize, seed } = params;
    await preparation.phase('first allocation', () => {
      engine.tf.zeros([1]).dispose();
    });
    const { headInputs } = backboneFacts(params.backbone);
    const makeLearner = () => this.learner(WARM_UP_CLASSES, params);
    const makeBatch = (images: number): Batch => ({
      images: { data: new Float32Array(images * side * side * 3), shape: [images, side, side, 3] },
      labels: { data: new Int32Array(images), shape: [images] },
      mask: { data: new Float32Array(images * headInputs), shape: [images, headInputs] },
    });
    await trainDummies({ engine, makeLearner, seed, batchSize, makeBatch }, preparation);
  }

  async prepare({ params: given, phase, isAwaited }: Preparation): Promise<void> {
    const params = classifierParams(given, this.warm.engine.name);
    const folder = await phase('data set metadata', () => this.datasets.scanAhead(params.data_dir));
    await phase('model', () => this.learner(folder?.classes.length ?? WARM_UP_CLASSES, params));
    if (folder !== undefined && !isAwaited()) {
      await phase('data set', () => this.loadAhead(folder, params));
    }
  }

  private async loadAhead(folder: ImageFolder, params: ClassifierParams): Promise<void> {
    const dataset = await this.datasets.loadAhead(folder, params.image_size);
    const { stemChannels } = backboneFacts(params.backbone);
    if (dataset !== undefined && stemChannels !== undefined) {
      const split = splitByClass(dataset.labels, params.val_split, params.seed);
      await this.stem(params, { dataset, split }, stemChannels);
    }
  }

  async train(run: RunContext): Promise<Outcome> {
    const { engine } = this.warm;
    const given = classifierParams(run.params, engine.name);
    const output = await resolveOutput(run, given.output);
    const source = run.resumeDir ?? given.resume;
    const resumed = source === '' ? undefined : await readResumption(run, { ...given, resume: source });
    const params = resumed?.params ?? given;
    sayWhatIsUsed(run, params, engine.name);

    const dataset = await run.phase('data set', () => this.load(run, params));
    const split = splitByClass(dataset.labels, params.val_split, params.seed);
    run.emit({
      type: 'dataset',
      dir: params.data_dir,
      classes: dataset.classes.map((name, index) => ({ name, images: dataset.countsPerClass[index] ?? 0 })),
      train: split.train.length,
      val: split.validation.length,
      ...skippedFacts(dataset),
    });
    const { learner, start } = await run.phase('model', () =>
      resumed === undefined ? this.begin(run, params, { dataset, split }) : this.goOn(run, resumed, dataset),
    );
    run.emit({ type: 'state', state: 'training' });
    const { headInputs } = backboneFacts(params.backbone);
    const { batchWorkers } = this.warm;
    const batches = new Batches({ dataset, split, params, headInputs, workers: batchWorkers });
    const firstStepDone = once(() => {
      run.firstStepDone();
      // Not before, so that they do not delay the first step of a cold start.
      batchWorkers?.start(batchWorkerCount(learner.workers));
    });
    return trainEpochs(
      { run, learner, params, batches, firstStepDone },
      { run, engine, learner, params, dataset },
      { start, output },
    );
  }

  private async load(run: RunContext, params: ClassifierParams): Promise<Dataset> {
    const folder = await this.datasets.scan(params.data_dir);
    for (const warning of folder.warnings) {
      run.log('warning', warning);
    }
    return this.datasets.load(folder, params.image_size, { log: run.log, stop: run.stop });
  }

  /** The learner of a new run, with the weights that it starts from. */
  private async begin(
    run: RunContext,
    params: ClassifierParams,
    { dataset, split }: { dataset: Dataset; split: Split },
  ): Promise<{ learner: Learner; start: Progress }> {
    const { head, stemChannels } = backboneFacts(params.backbone);
    const weights = await findStartingWeights(run, params, this.warm);
    const learner = await this.learner(dataset.classes.length, params, weights?.stemChannels);
    await learner.initialise(params.seed);
    if (weights !== undefined) {
      await loadWeights(run, learner, { ...weights, head });
    } else if (stemChannels !== undefined) {
      await learner.loadParameters([await this.stem(params, { dataset, split }, stemChannels)]);
    }
    return { learner, start: START };
  }

  private async stem(
    { seed, val_split }: ClassifierParams,
    { dataset, split }: { dataset: Dataset; split: Split },
    channels: number,
  ): Promise<TensorData> {
    const splitBy = JSON.stringify([seed, val_split]);
    const kept = this.stems.get(dataset);
    if (kept?.splitBy === splitBy) {
      return kept.stem;
    }
    const facts = { dataset, train: split.train, preprocessing: imagenetPreprocessing };
    const stem = await whiteningStem({ ...facts, channels });
    this.stems.set(dataset, { splitBy, stem });
    return stem;
  }

  /** The learner of a run that goes on with another, with what that has left. */
  private async goOn(
    run: RunContext,
    resumed: Resumption,
    dataset: Dataset,
  ): Promise<{ learner: Learner; start: Progress }> {
    checkSameData(resumed, dataset);
    const learner = await this.learner(dataset.classes.length, resumed.params, resumed.stemChannels);
    await learner.initialise(resumed.params.seed);
    await restoreLearner(resumed, learner);
    const { epoch, step } = resumed.progress;
    run.emit({ type: 'resumed', epoch, step, from: join(resumed.dir, RUN_FILES.last) });
    sayWhereResumed(run, resumed, this.warm.engine.name);
    return { learner, start: await takeOverBest(run, resumed) };
  }

  private learner(
    classes: number,
    { backbone, image_size, num_workers }: ClassifierParams,
    stored?: number,
  ): Promise<Learner> {
    const { stemChannels: fresh } = backboneFacts(backbone);
    const stemChannels = stored ?? fresh;
    const spec = {
      backbone,
      classes,
      imageSize: image_size,
      ...(stemChannels === undefined ? {} : { stemChannels }),
    };
    return this.warm.learners.acquire(classifierTask, spec, { workers: num_workers });
  }
}

/** Threads to make batches with: cores that do not compute, but no more than can be of use. */
function batchWorkerCount(computing: number): number {
  return Math.max(1, Math.min(MOST_BATCH_WORKERS, availableParallelism() - computing));
}

/** Calls `work` the first time only. */
function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) {
      done = true;
      work();
    }
  };
}

function sayWhatIsUsed({ log, params: asked }: RunContext, params: ClassifierParams, engine: string): void {
  if (asked.backbone === 'auto' || asked.backbone === undefined) {
    log('info', `backbone auto: ${params.backbone}, since the engine is "${engine}".`);
  }
  if (params.mixed_precision) {
    log('info', `The engine "${engine}" computes in single precision: mixed_precision has no effect.`);
  }
}

function sayWhereResumed(
  { log }: RunContext,
  { dir, params, progress, engine }: Resumption,
  own: string,
): void {
  const { epoch, step } = progress;
  log('info', `Going on with the run in ${dir} after epoch ${epoch}, step ${step}, with its parameters.`);
  if (engine !== own) {
    log(
      'warning',
      `The run was computed by "${engine}": on "${own}" its numbers come out slightly different.`,
    );
  }
  if (epoch >= params.epochs) {
    log('warning', `The run has its ${params.epochs} epochs: give more epochs to train it further.`);
  }
}
