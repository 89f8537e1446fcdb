import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RUN_FILES } from '../../../volume/outputsVolume';
import { writeSafetensors } from '../../../volume/safetensors';
import type { Engine } from '../../engines/engine';
import type { RunContext } from '../recipe';
import type { Learner } from '../task';
import { ditPreprocessing } from './examples';
import type { DitParams } from './params';

/** What does not change from checkpoint to checkpoint of a run. */
export interface CheckpointFacts {
  readonly run: RunContext;
  readonly engine: Engine;
  readonly learner: Learner;
  readonly params: DitParams;
  readonly classes: readonly string[];
}

/**
 * Writes both checkpoints of the run, each whole, and tells of them: `last` has the weights and all that an exact resume
 * needs besides; `best` has the newest moving average of the weights, which is what to draw with. A lower training loss
 * is no measure of how good the images are, so that the newest average counts as the best.
 * @param step steps that are done
 * @returns the path of `best`
 */
export async function saveCheckpoints(
  facts: CheckpointFacts,
  { step, epoch, train_loss }: { step: number; epoch: number; train_loss: number | null },
): Promise<string> {
  const { run, engine, learner, params, classes } = facts;
  const metadata = {
    format: 'tiny-cats',
    recipe: 'dit',
    step: String(step),
    steps: String(params.steps),
    epoch: String(epoch),
    train_loss: String(train_loss),
    image_size: String(params.image_size),
    patch_size: String(params.patch_size),
    width: String(params.width),
    depth: String(params.depth),
    heads: String(params.heads),
    classes: JSON.stringify(classes),
    preprocessing: JSON.stringify({
      image_size: params.image_size,
      resize: 'shorter side, centre crop',
      ...ditPreprocessing,
    }),
    params: JSON.stringify(params),
    engine: engine.name,
    run_id: run.runId,
    created_at: new Date().toISOString(),
  };
  const save = async (kind: 'best' | 'last', tensors: Parameters<typeof writeSafetensors>[1]) => {
    const file = RUN_FILES[kind];
    const path = join(run.runDir, file);
    await writeSafetensors(path, tensors, {
      ...metadata,
      weights: kind === 'best' ? 'moving average' : 'current',
    });
    const { size } = await stat(path);
    run.emit({ type: 'checkpoint', kind, file, bytes: size, epoch, step, val_acc: null });
    return path;
  };
  await save('last', [...(await learner.exportParameters()), ...(await learner.exportState())]);
  return save('best', await learner.exportParameters('average'));
}
