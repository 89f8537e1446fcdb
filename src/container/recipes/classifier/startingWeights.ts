import { stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { OutputsVolume, RUN_FILES, isRunId } from '../../../volume/outputsVolume';
import type { RunContext, WarmState } from '../recipe';
import { RunFailure } from '../recipe';
import { hasPretrained, pretrainedWeights } from '../weights/pretrained';
import { withWeights } from '../weights/weightsFile';
import { backboneFacts, storedStemChannels } from './networks';
import type { ClassifierParams } from './params';

/** A file of weights that a run starts from. */
export interface StartingWeights {
  /** The parameter that named it. */
  readonly what: 'init_from' | 'pretrained';
  readonly path: string;
  /** Of a `tiny_cnn`, as the file has them. */
  readonly stemChannels: number | undefined;
}

/**
 * The weights that a new run starts from: those of `init_from`, else those of `pretrained`; undefined for fresh ones.
 * @throws RunFailure if they cannot be read or downloaded
 */
export async function findStartingWeights(
  run: RunContext,
  params: ClassifierParams,
  warm: Pick<WarmState, 'dataDir' | 'pretrainedUrl'>,
): Promise<StartingWeights | undefined> {
  const found = await findFile(run, params, warm);
  return found && { ...found, stemChannels: await readStemChannels(params.backbone, found) };
}

async function findFile(
  run: RunContext,
  { backbone, pretrained, init_from }: ClassifierParams,
  { dataDir, pretrainedUrl }: Pick<WarmState, 'dataDir' | 'pretrainedUrl'>,
): Promise<Pick<StartingWeights, 'what' | 'path'> | undefined> {
  if (init_from !== '') {
    return { what: 'init_from', path: await checkpointOf(run, init_from) };
  }
  if (typeof pretrained === 'string') {
    return {
      what: 'pretrained',
      path: isAbsolute(pretrained) ? pretrained : resolve(run.outputsDir, pretrained),
    };
  }
  if (pretrained && hasPretrained(backbone)) {
    return {
      what: 'pretrained',
      path: await pretrainedWeights(backbone, { dataDir, url: pretrainedUrl, run }),
    };
  }
  if (pretrained) {
    run.log('info', `${backbone} has no pretrained weights: it starts from fresh ones.`);
  }
  return undefined;
}

/** What of the file has to be known before the network is built. */
async function readStemChannels(
  backbone: ClassifierParams['backbone'],
  { what, path }: Pick<StartingWeights, 'what' | 'path'>,
): Promise<number | undefined> {
  if (backboneFacts(backbone).stemChannels === undefined) {
    return undefined;
  }
  return withWeights(what, path, ({ shapes }) => Promise.resolve(storedStemChannels(backbone, shapes)));
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
