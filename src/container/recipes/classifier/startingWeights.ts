import { stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { OutputsVolume, RUN_FILES, isRunId } from '../../../volume/outputsVolume';
import type { RunContext, WarmState } from '../recipe';
import { RunFailure } from '../recipe';
import type { Learner } from '../task';
import { loadWeights } from '../weights/loadWeights';
import { hasPretrained, pretrainedWeights } from '../weights/pretrained';
import { backboneFacts } from './networks';
import type { ClassifierParams } from './params';

/**
 * Gives a fresh network the weights that the run starts from: those of `init_from`, else those of `pretrained`, else
 * random ones.
 * @throws RunFailure if they cannot be read, downloaded or fitted
 */
export async function takeStartingWeights(
  run: RunContext,
  learner: Learner,
  params: ClassifierParams,
  { dataDir, pretrainedUrl }: Pick<WarmState, 'dataDir' | 'pretrainedUrl'>,
): Promise<void> {
  const { backbone, pretrained, init_from } = params;
  const { head } = backboneFacts(backbone);
  if (init_from !== '') {
    const path = await checkpointOf(run, init_from);
    await loadWeights(run, learner, { what: 'init_from', path, head });
  } else if (typeof pretrained === 'string') {
    const path = isAbsolute(pretrained) ? pretrained : resolve(run.outputsDir, pretrained);
    await loadWeights(run, learner, { what: 'pretrained', path, head });
  } else if (pretrained && hasPretrained(backbone)) {
    const path = await pretrainedWeights(backbone, { dataDir, url: pretrainedUrl, run });
    await loadWeights(run, learner, { what: 'pretrained', path, head });
  } else if (pretrained) {
    run.log('info', `${backbone} has no pretrained weights: it starts from random ones.`);
  }
}

async function checkpointOf({ outputsDir }: RunContext, given: string): Promise<string> {
  if (!isRunId(given)) {
    return isAbsolute(given) ? given : resolve(outputsDir, given);
  }
  const dir = await new OutputsVolume(outputsDir).findRun(given);
  if (dir === undefined) {
    throw new RunFailure('parameters', `init_from: there is no run "${given}" in ${outputsDir}`);
  }
  for (const path of [join(dir, RUN_FILES.best), join(dir, RUN_FILES.last)]) {
    if (await stat(path).catch(() => undefined)) {
      return path;
    }
  }
  throw new RunFailure('parameters', `init_from: the run "${given}" has no checkpoint any more`);
}
