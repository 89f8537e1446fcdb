import { join } from 'node:path';
import { RUN_FILES } from '../../../volume/outputsVolume';
import type { Outcome } from '../recipe';
import type { CheckpointFacts } from './checkpoints';
import { saveCheckpoint } from './checkpoints';
import { epochLine } from './epochLine';
import { copyOutput } from './outputFile';
import type { Progress } from './progress';
import type { Training } from './trainingLoop';
import { trainEpoch, validate } from './trainingLoop';

/**
 * Trains from `start` to the last epoch, or until the run is told to stop or no longer gets better.
 * @param output where to copy the best checkpoint
 */
export async function trainEpochs(
  training: Training,
  facts: CheckpointFacts,
  { start, output }: { start: Progress; output: string | undefined },
): Promise<Outcome> {
  const { run, params } = training;
  let progress = { ...start };
  while (progress.epoch < params.epochs) {
    if (hasStalled(progress, params.early_stopping_patience)) {
      run.log(
        'info',
        `Ended early: no better validation accuracy in ${params.early_stopping_patience} epochs.`,
      );
      break;
    }
    const startedAt = performance.now();
    const trained = await trainEpoch(training, progress);
    const validated = trained === undefined ? undefined : await validate(training, progress);
    if (trained === undefined || validated === undefined) {
      await saveCheckpoint(facts, 'last', progress);
      return { status: 'stopped', ...(await deliver(facts, progress, output)) };
    }
    const time_s = (performance.now() - startedAt) / 1000;
    const epoch = progress.epoch + 1;
    run.emit({ type: 'epoch', epoch, epochs: params.epochs, ...trained, ...validated, time_s });
    run.log('info', epochLine(epoch, params.epochs, { ...trained, ...validated, time_s }));
    const last = { epoch, ...validated };
    const isBest = progress.best === null || last.val_acc > progress.best.val_acc;
    progress = {
      epoch,
      step: 0,
      images: 0,
      lossSum: 0,
      correct: 0,
      last,
      best: isBest ? last : progress.best,
    };
    if (isBest) {
      await saveCheckpoint(facts, 'best', progress);
    }
    await saveCheckpoint(facts, 'last', progress);
  }
  return { status: 'completed', ...(await deliver(facts, progress, output)) };
}

function hasStalled({ epoch, best }: Progress, patience: number): boolean {
  return patience > 0 && best !== null && epoch - best.epoch >= patience;
}

async function deliver(
  { run }: CheckpointFacts,
  { best }: Progress,
  output: string | undefined,
): Promise<{ output: string | null; val_acc: number | null }> {
  if (best === null) {
    return { output: null, val_acc: null };
  }
  const path = join(run.runDir, RUN_FILES.best);
  if (output !== undefined) {
    await copyOutput(path, output);
  }
  return { output: output ?? path, val_acc: best.val_acc };
}
