import { checkParameters } from '../../protocol/parameters';
import { findRecipe } from '../../protocol/recipes';
import type { RunRecord } from '../../protocol/run';
import type { OutputsVolume } from '../../volume/outputsVolume';
import type { Command } from '../command';
import { CommandError } from '../errors';
import { namedRun, volumeUpToDate } from '../history';
import { givenParameters } from '../invocation';
import { PYTHON, codeOf } from '../program';
import { TRAINING_DETAILS, TRAINING_OPTIONS, train } from '../training';

export const rerunCommand: Command = {
  name: 'rerun',
  summary: 'Train again with the parameters of a run, or of the newest one',
  details: ['Parameters that are given as options take the place of the run’s own.', ...TRAINING_DETAILS],
  positional: { name: 'RUN_ID', required: false },
  options: [...TRAINING_OPTIONS, PYTHON],
  takesParameters: true,
  endsWithResult: true,
  run: async (context, { settings, program: ours, given, positional }) => {
    const record = await findRecord(await volumeUpToDate(context, settings), positional);
    const python = typeof given.python === 'string' ? given.python : '';
    const code =
      record.entrypoint === undefined ? undefined : await codeOf(record.entrypoint, python, context);
    const recipe = code === undefined ? findRecipe(record.recipe) : code.recipe;
    const program = code?.program ?? ours;
    if (recipe === undefined) {
      throw new CommandError(
        `Run ${record.runId} trained "${record.recipe}", which this version does not know.`,
      );
    }
    const params = checkParameters(recipe, { ...record.params, ...givenParameters(recipe, given) });
    return train(context, settings, { recipe, params, program, given });
  },
};

async function findRecord(volume: OutputsVolume, runId: string | undefined): Promise<RunRecord> {
  if (runId === undefined) {
    const newest = (await volume.listRuns()).find(({ record }) => record.newer !== true);
    if (newest === undefined) {
      throw new CommandError(`There is no run in ${volume.root} yet. Start one with "tiny-cats train".`);
    }
    return newest.record;
  }
  return namedRun(volume, runId);
}
