import { checkParameters } from '../../protocol/parameters';
import { findRecipe } from '../../protocol/recipes';
import type { RunRecord } from '../../protocol/run';
import { isResumable } from '../../protocol/run';
import type { OutputsVolume } from '../../volume/outputsVolume';
import type { Command } from '../command';
import { CommandError } from '../errors';
import { namedRun, volumeUpToDate } from '../history';
import { TRAINING_DETAILS, TRAINING_OPTIONS, train } from '../training';

export const resumeCommand: Command = {
  name: 'resume',
  summary: 'Go on with a run that failed or was stopped, or with the newest such run',
  details: [
    'Starts a new run that begins from the last checkpoint of that one, with its parameters. Such a checkpoint is ' +
      'there once an epoch was finished, unless retention has removed it.',
    ...TRAINING_DETAILS,
  ],
  positional: { name: 'RUN_ID', required: false },
  options: TRAINING_OPTIONS,
  endsWithResult: true,
  run: async (context, { settings, program, given, positional }) => {
    const record = await findResumable(await volumeUpToDate(context, settings), positional);
    const recipe = findRecipe(record.recipe);
    if (recipe === undefined) {
      throw new CommandError(
        `Run ${record.runId} trained "${record.recipe}", which this version does not know.`,
      );
    }
    const params = checkParameters(recipe, record.params);
    return train(context, settings, { recipe, params, program, given, resumeRun: record.runId });
  },
};

async function findResumable(volume: OutputsVolume, runId: string | undefined): Promise<RunRecord> {
  if (runId === undefined) {
    const newest = (await volume.listRuns()).find(({ record }) => isResumable(record));
    if (newest === undefined) {
      throw new CommandError(
        `There is no run in ${volume.root} that failed or was stopped and has a last checkpoint.`,
      );
    }
    return newest.record;
  }
  return namedRun(volume, runId);
}
