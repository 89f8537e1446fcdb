import { DIT } from '../../../protocol/dit';
import type { Dataset } from '../../data/dataset';
import { Datasets } from '../classifier/datasets';
import { copyOutput, resolveOutput } from '../classifier/outputFile';
import type { Outcome, Preparation, Recipe, RunContext, WarmState } from '../recipe';
import { skippedFacts } from '../skippedFacts';
import { RunFailure } from '../recipe';
import type { Batch, Learner } from '../task';
import { Examples } from './examples';
import { flowBatch } from './flow';
import type { DitParams } from './params';
import { ditParams, shapeOf, sizeProblem } from './params';
import type { Resumed } from './resume';
import { readResumed } from './resume';
import { ditTask } from './task';
import { trainSteps } from './trainingLoop';
import { Random } from '../../data/random';
import { trainDummies } from '../warmUp';

const WARM_UP_CLASSES = 2;
/** There need be nothing to tell apart. */
const ONE_CLASS = { minimumClasses: 1 } as const;
/** AdamW's, as the design has them. */
const BETAS = { beta1: 0.9, beta2: 0.95 };

/** The design's TinyDiT: a class-conditional diffusion transformer trained by flow matching. */
export function createDit(warm: WarmState): Recipe {
  return new Dit(warm);
}

class Dit implements Recipe {
  readonly name = DIT.name;
  private readonly datasets: Datasets;

  constructor(private readonly warm: WarmState) {
    this.datasets = new Datasets(warm.dataDir, warm.wasmDir);
  }

  async warmUp(preparation: Preparation): Promise<void> {
    const { engine } = this.warm;
    const params = ditParams(preparation.params);
    const { seed, batch_size: batchSize } = params;
    await preparation.phase('first allocation', () => {
      engine.tf.zeros([1]).dispose();
    });
    // The run will say what is wrong with its sizes.
    if (sizeProblem(params) !== undefined) {
      return;
    }
    const makeLearner = () => this.learner(WARM_UP_CLASSES, params);
    const makeBatch = (examples: number): Batch => {
      const images = new Float32Array(examples * params.image_size ** 2 * 3);
      return flowBatch(images, new Int32Array(examples), Random.seeded('warm-up'), {
        shape: shapeOf(params, WARM_UP_CLASSES),
        classDropout: params.class_dropout,
      });
    };
    await trainDummies({ engine, makeLearner, seed, batchSize, makeBatch }, preparation);
  }

  async prepare({ params: given, phase, isAwaited }: Preparation): Promise<void> {
    const params = ditParams(given);
    const folder = await phase('data set metadata', () =>
      this.datasets.scanAhead(params.data_dir, ONE_CLASS),
    );
    if (sizeProblem(params) !== undefined) {
      return;
    }
    await phase('model', () => this.learner(folder?.classes.length ?? WARM_UP_CLASSES, params));
    if (folder !== undefined && !isAwaited()) {
      await phase('data set', () => this.datasets.loadAhead(folder, params.image_size));
    }
  }

  async train(run: RunContext): Promise<Outcome> {
    const asked = ditParams(run.params);
    const output = await resolveOutput(run, asked.output);
    const source = run.resumeDir ?? asked.resume;
    const resumed = source === '' ? undefined : await readResumed(run, { ...asked, resume: source });
    const params = resumed?.params ?? asked;
    const problem = sizeProblem(params);
    if (problem !== undefined) {
      throw new RunFailure('parameters', problem);
    }
    const dataset = await run.phase('data set', () => this.load(run, params));
    const { classes } = dataset;
    run.emit({
      type: 'dataset',
      dir: params.data_dir,
      classes: classes.map((name, index) => ({ name, images: dataset.countsPerClass[index] ?? 0 })),
      train: dataset.count,
      val: 0,
      ...skippedFacts(dataset),
    });
    const learner = await run.phase('model', async () => {
      const made = await this.learner(classes.length, params);
      await made.initialise(params.seed);
      if (resumed !== undefined) {
        await restore(run, made, resumed, classes);
        run.emit({ type: 'resumed', epoch: 0, step: resumed.step, from: source });
      }
      return made;
    });
    run.emit({ type: 'state', state: 'training' });
    const { stopped, best } = await trainSteps({
      run,
      engine: this.warm.engine,
      learner,
      params,
      classes,
      examples: new Examples(dataset, shapeOf(params, classes.length), params),
      firstStep: resumed?.step ?? 0,
    });
    if (output !== undefined) {
      await copyOutput(best, output);
    }
    return { status: stopped ? 'stopped' : 'completed', output: output ?? best, val_acc: null };
  }

  private async load(run: RunContext, params: DitParams): Promise<Dataset> {
    const folder = await this.datasets.scan(params.data_dir, ONE_CLASS);
    for (const warning of folder.warnings) {
      run.log('warning', warning);
    }
    return this.datasets.load(folder, params.image_size, { log: run.log, stop: run.stop });
  }

  private learner(classes: number, params: DitParams): Promise<Learner> {
    return this.warm.learners.acquire(
      ditTask,
      { ...shapeOf(params, classes) },
      {
        workers: params.num_workers,
        optimizer: { ...BETAS, averageDecay: params.ema_decay },
      },
    );
  }
}

async function restore(
  run: RunContext,
  learner: Learner,
  { path, step, classes: earlier, parameters, state, params }: Resumed,
  classes: readonly string[],
): Promise<void> {
  if (earlier.join('\n') !== classes.join('\n')) {
    throw new RunFailure(
      'data',
      `The run to go on with was trained on the classes ${earlier.join(', ')}; ${params.data_dir} has ${classes.join(', ')}.`,
    );
  }
  await learner.loadParameters(parameters);
  await learner.loadState(state);
  run.log('info', `Goes on after step ${step} of ${path}, with the parameters of that run.`);
}
