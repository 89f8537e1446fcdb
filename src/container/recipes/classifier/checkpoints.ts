import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RUN_FILES } from '../../../volume/outputsVolume';
import { writeSafetensors } from '../../../volume/safetensors';
import { imagenetPreprocessing } from '../../data/batch';
import type { Engine } from '../../engines/engine';
import type { AdamOptimizer } from '../../engines/trainingOps';
import type { RunContext } from '../recipe';
import type { Best } from './epochResume';
import { stateTensors } from './epochResume';
import type { ClassifierParams } from './params';
import type { Network } from './tinyCnn';

/** What does not change from checkpoint to checkpoint of a run. */
export interface CheckpointFacts {
  run: RunContext;
  engine: Engine;
  network: Network;
  params: ClassifierParams;
  classes: readonly string[];
  optimizer: AdamOptimizer;
}

export interface CheckpointScore {
  /** Epochs finished. */
  epoch: number;
  /** Of the last finished epoch; null before the first. */
  val_acc: number | null;
  val_loss: number | null;
  best: Best;
}

/**
 * Writes one checkpoint of the run, whole, and tells of it.
 * @returns its path
 */
export async function saveCheckpoint(
  { run, engine, network, params, classes, optimizer }: CheckpointFacts,
  kind: 'best' | 'last',
  { epoch, val_acc, val_loss, best }: CheckpointScore,
): Promise<string> {
  const file = RUN_FILES[kind];
  const path = join(run.runDir, file);
  const state = kind === 'last' ? await stateTensors(optimizer) : [];
  await writeSafetensors(path, [...(await network.store.export()), ...state], {
    format: 'tiny-cats',
    recipe: 'classifier',
    backbone: params.backbone,
    epoch: String(epoch),
    epochs: String(params.epochs),
    val_acc: String(val_acc),
    val_loss: String(val_loss),
    classes: JSON.stringify(classes),
    preprocessing: JSON.stringify({
      image_size: params.image_size,
      resize: 'shorter side, centre crop',
      ...imagenetPreprocessing,
    }),
    params: JSON.stringify(params),
    engine: engine.name,
    best: JSON.stringify(best),
    run_id: run.runId,
    created_at: new Date().toISOString(),
  });
  const { size } = await stat(path);
  run.emit({ type: 'checkpoint', kind, file, bytes: size, epoch, val_acc });
  return path;
}
