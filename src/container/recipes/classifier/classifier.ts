import { join } from 'node:path';
import type { ParameterValues } from '../../../protocol/parameters';
import { CLASSIFIER } from '../../../protocol/recipes';
import { RUN_FILES } from '../../../volume/outputsVolume';
import { DataError } from '../../data/dataError';
import { splitByClass } from '../../data/split';
import type { Outcome, Recipe, RunContext, TimedPhase, WarmState } from '../recipe';
import type { CheckpointFacts, CheckpointScore } from './checkpoints';
import { saveCheckpoint } from './checkpoints';
import { Datasets } from './datasets';
import type { Best } from './epochResume';
import { goOn } from './epochResume';
import { copyOutput, resolveOutput } from './outputFile';
import type { ClassifierParams } from './params';
import { classifierParams } from './params';
import type { Network } from './tinyCnn';
import { tinyCnn } from './tinyCnn';
import type { Training } from './trainingLoop';
import { trainEpoch, validate } from './trainingLoop';
import { trainStep } from './trainStep';

const WARM_UP_CLASSES = 2;

/** The design's `train_classifier`. */
export function createClassifier(warm: WarmState): Recipe {
  return new Classifier(warm);
}

class Classifier implements Recipe {
  readonly name = CLASSIFIER.name;
  private readonly datasets: Datasets;
  /** The network of the last shape: its buffers are used again, its values never. */
  private kept: { shape: string; network: Network } | undefined;

  constructor(private readonly warm: WarmState) {
    this.datasets = new Datasets(warm.dataDir, warm.wasmDir);
  }

  async warmUp(given: ParameterValues, phase: TimedPhase): Promise<void> {
    const { engine } = this.warm;
    const params = classifierParams(given);
    const side = params.image_size;
    await phase('first allocation', () => {
      engine.tf.zeros([1]).dispose();
    });
    await phase('forward and backward pass', () => {
      const network = this.network(WARM_UP_CLASSES, params);
      network.store.initialise(0);
      const optimizer = engine.ops.adam(network.store.trainable);
      // Kernels are compiled for shapes: those of the run to come.
      const batch = {
        pixels: new Float32Array(params.batch_size * side * side * 3),
        labels: new Int32Array(params.batch_size),
        side,
      };
      trainStep(engine, network, optimizer, batch, { learningRate: 0, gradientClip: 1 });
      optimizer.dispose();
    });
  }

  async prepare(given: ParameterValues, phase: TimedPhase): Promise<void> {
    const params = classifierParams(given);
    const folder = await phase('data set metadata', () =>
      this.datasets.scan(params.data_dir).catch((error: unknown) => {
        // The run will say so, to whom it concerns.
        if (error instanceof DataError) {
          return undefined;
        }
        throw error;
      }),
    );
    await phase('model', () => {
      this.network(folder?.classes.length ?? WARM_UP_CLASSES, params);
    });
  }

  async train(run: RunContext): Promise<Outcome> {
    const { engine } = this.warm;
    const params = classifierParams(run.params);
    const output = await resolveOutput(run, params.output);
    sayWhatDoesNotApply(run, params, engine.name);

    const dataset = await run.phase('data set', async () => {
      const folder = await this.datasets.scan(params.data_dir);
      for (const warning of folder.warnings) {
        run.log('warning', warning);
      }
      return this.datasets.load(folder, params.image_size, { log: run.log, stop: run.stop });
    });
    const split = splitByClass(dataset.labels, params.val_split, params.seed);
    run.emit({
      type: 'dataset',
      dir: params.data_dir,
      classes: dataset.classes.map((name, index) => ({ name, images: dataset.countsPerClass[index] ?? 0 })),
      train: split.train.length,
      val: split.validation.length,
      skipped: [...dataset.skipped],
    });
    const network = await run.phase('model', () => {
      const made = this.network(dataset.classes.length, params);
      made.store.initialise(params.seed);
      return made;
    });
    const optimizer = engine.ops.adam(network.store.trainable);
    try {
      run.emit({ type: 'state', state: 'training' });
      const training = { run, engine, network, optimizer, params, dataset, split };
      const facts = { run, engine, network, optimizer, params, classes: dataset.classes };
      const start =
        run.resumeDir === null
          ? { epoch: 0, best: null }
          : await goOn(run, run.resumeDir, { network, optimizer });
      return await this.epochs(training, facts, { output, start });
    } finally {
      optimizer.dispose();
    }
  }

  private async epochs(
    training: Training,
    facts: CheckpointFacts,
    { output, start }: { output: string | undefined; start: { epoch: number; best: Best } },
  ): Promise<Outcome> {
    const { run, params } = training;
    let { best } = start;
    let score: CheckpointScore = { epoch: start.epoch, val_acc: null, val_loss: null, best };
    for (let { epoch } = start; epoch < params.epochs; epoch += 1) {
      const startedAt = performance.now();
      const trained = await trainEpoch(training, epoch);
      const validated = trained === undefined ? undefined : await validate(training);
      if (trained === undefined || validated === undefined) {
        await saveCheckpoint(facts, 'last', score);
        return { status: 'stopped', ...(await this.deliver(run, best, output)) };
      }
      const time_s = (performance.now() - startedAt) / 1000;
      run.emit({ type: 'epoch', epoch: epoch + 1, epochs: params.epochs, ...trained, ...validated, time_s });
      run.log('info', epochLine(epoch + 1, params.epochs, { ...trained, ...validated, time_s }));
      const isBest = best === null || validated.val_acc > best.val_acc;
      best = isBest ? { epoch: epoch + 1, val_acc: validated.val_acc } : best;
      score = { epoch: epoch + 1, ...validated, best };
      // In this order: who goes on from the last one finds the best one that it tells of.
      if (isBest) {
        await saveCheckpoint(facts, 'best', score);
      }
      await saveCheckpoint(facts, 'last', score);
    }
    return { status: 'completed', ...(await this.deliver(run, best, output)) };
  }

  private async deliver(
    { runDir }: RunContext,
    best: Best,
    output: string | undefined,
  ): Promise<{ output: string | null; val_acc: number | null }> {
    if (best === null) {
      return { output: null, val_acc: null };
    }
    const path = join(runDir, RUN_FILES.best);
    if (output !== undefined) {
      await copyOutput(path, output);
    }
    return { output: output ?? path, val_acc: best.val_acc };
  }

  private network(classes: number, { backbone, image_size }: ClassifierParams): Network {
    const shape = JSON.stringify([backbone, classes, image_size]);
    if (this.kept?.shape !== shape) {
      this.kept?.network.store.dispose();
      this.kept = { shape, network: tinyCnn(this.warm.engine, { classes, imageSize: image_size }) };
    }
    return this.kept.network;
  }
}

function sayWhatDoesNotApply(run: RunContext, params: ClassifierParams, engine: string): void {
  if (params.pretrained) {
    run.log('info', `${params.backbone} has no pretrained weights: it starts from random ones.`);
  }
  if (params.mixed_precision) {
    run.log('info', `The engine "${engine}" computes in single precision: mixed_precision has no effect.`);
  }
  if (params.num_workers > 0) {
    run.log('info', 'Images are decoded ahead and kept in memory: num_workers has no effect.');
  }
}

/** The line that the design's training script logs. */
function epochLine(
  epoch: number,
  epochs: number,
  score: {
    train_loss: number;
    train_acc: number;
    val_loss: number;
    val_acc: number;
    lr: number;
    time_s: number;
  },
): string {
  const { train_loss, train_acc, val_loss, val_acc, lr, time_s } = score;
  return (
    `Epoch ${String(epoch).padStart(3)}/${epochs} | Train loss: ${train_loss.toFixed(4)} acc: ${train_acc.toFixed(4)} | ` +
    `Val loss: ${val_loss.toFixed(4)} acc: ${val_acc.toFixed(4)} | LR: ${lr.toExponential(1)} | Time: ${time_s.toFixed(1)}s`
  );
}
