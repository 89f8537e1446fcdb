import type { ParameterValues } from '../../protocol/parameters';
import { checkParameters } from '../../protocol/parameters';
import { volumeHere } from '../history';
import type { Command } from '../command';
import { givenParameters } from '../invocation';
import type { Settings } from '../settings';
import { TRAINING_DETAILS, TRAINING_OPTIONS, train } from '../training';

export const trainCommand: Command = {
  name: 'train',
  summary: 'Train on a folder of images, or your own code, in the warm container if there is one',
  details: TRAINING_DETAILS,
  options: TRAINING_OPTIONS,
  positional: { name: 'FILE:NAME', required: false },
  takesParameters: true,
  takesCode: true,
  endsWithResult: true,
  run: async (context, { settings, recipe, program, given }) => {
    const params = checkParameters(recipe, {
      ...(await resumedEpochs(given, settings)),
      ...givenParameters(recipe, given),
    });
    return train(context, settings, { recipe, params, program, given });
  },
};

/** A run that is resumed has as many epochs as it was to have, unless others are given. */
async function resumedEpochs(given: ParameterValues, settings: Settings): Promise<ParameterValues> {
  const resumed = given.resume;
  if (typeof resumed !== 'string' || resumed === '') {
    return {};
  }
  const volume = volumeHere(settings);
  const record = await volume.readRecord((await volume.findRun(resumed)) ?? resumed);
  return record?.params.epochs === undefined ? {} : { epochs: record.params.epochs };
}
