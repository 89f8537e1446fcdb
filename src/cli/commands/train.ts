import { checkParameters } from '../../protocol/parameters';
import type { Command } from '../command';
import { givenParameters } from '../invocation';
import { TRAINING_DETAILS, TRAINING_OPTIONS, train } from '../training';

export const trainCommand: Command = {
  name: 'train',
  summary: 'Train on a folder of images, in the warm container if there is one',
  details: TRAINING_DETAILS,
  options: TRAINING_OPTIONS,
  takesParameters: true,
  endsWithResult: true,
  run: async (context, { settings, recipe, given }) => {
    const params = checkParameters(recipe, givenParameters(recipe, given));
    return train(context, settings, { recipe, params, given });
  },
};
