import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RUN_FILES } from '../../../volume/outputsVolume';
import { writeSafetensors } from '../../../volume/safetensors';
import { imagenetPreprocessing } from '../../data/batch';
import type { Dataset } from '../../data/dataset';
import type { Engine } from '../../engines/engine';
import type { RunContext } from '../recipe';
import type { Learner } from '../task';
import type { ClassifierParams } from './params';
import type { Progress } from './progress';

/** What does not change from checkpoint to checkpoint of a run. */
export interface CheckpointFacts {
  run: RunContext;
  engine: Engine;
  learner: Learner;
  params: ClassifierParams;
  dataset: Pick<Dataset, 'classes' | 'countsPerClass'>;
}

/**
 * Writes one checkpoint of the run, whole, and tells of it. `best` holds what is needed to use the network, `last` also
 * what is needed to go on with the run: the optimiser's tensors and the metadata `progress`.
 * @returns its path
 */
export async function saveCheckpoint(
  { run, engine, learner, params, dataset }: CheckpointFacts,
  kind: 'best' | 'last',
  progress: Progress,
): Promise<string> {
  const file = RUN_FILES[kind];
  const path = join(run.runDir, file);
  const val_acc = progress.last?.val_acc ?? null;
  const tensors = await learner.exportParameters();
  if (kind === 'last') {
    tensors.push(...(await learner.exportState()));
  }
  await writeSafetensors(path, tensors, {
    format: 'tiny-cats',
    recipe: 'classifier',
    backbone: params.backbone,
    epoch: String(progress.epoch),
    epochs: String(params.epochs),
    val_acc: String(val_acc),
    val_loss: String(progress.last?.val_loss ?? null),
    classes: JSON.stringify(dataset.classes),
    preprocessing: JSON.stringify({
      image_size: params.image_size,
      resize: 'shorter side, centre crop',
      ...imagenetPreprocessing,
    }),
    params: JSON.stringify(params),
    engine: engine.name,
    run_id: run.runId,
    created_at: new Date().toISOString(),
    images_per_class: JSON.stringify(dataset.countsPerClass),
    ...(kind === 'last' ? { progress: JSON.stringify(progress) } : {}),
  });
  await tellOfCheckpoint(run, kind, progress.epoch, val_acc);
  return path;
}

/** Emits the event of a checkpoint that lies in the run's folder. */
export async function tellOfCheckpoint(
  run: RunContext,
  kind: 'best' | 'last',
  epoch: number,
  val_acc: number | null,
): Promise<void> {
  const file = RUN_FILES[kind];
  const { size } = await stat(join(run.runDir, file));
  run.emit({ type: 'checkpoint', kind, file, bytes: size, epoch, val_acc });
}
