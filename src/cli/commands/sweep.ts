import type { ParameterValues, RecipeSpec } from '../../protocol/parameters';
import type { SweepAxis } from '../../protocol/sweep';
import { MAX_JOBS } from '../../protocol/sweep';
import { parseValues } from '../../sweep/axes';
import { beginSweep } from '../../sweep/beginSweep';
import type { Command } from '../command';
import { ExitCode, UsageError } from '../errors';
import { givenParameters } from '../invocation';
import { flag, numberValue } from '../settings';
import { SweepWatch } from '../sweepWatch';
import { jsonLine } from '../text';
import { sweepPlace } from '../workplace';

const JOBS = {
  name: 'jobs',
  type: 'integer',
  default: 2,
  minimum: 1,
  maximum: MAX_JOBS,
  description: 'Most containers at a time; each trains one after the other',
} as const;

const DETACH = {
  name: 'detach',
  type: 'boolean',
  default: false,
  description: 'Print the id of the sweep and leave it going',
} as const;

export const sweepCommand: Command = {
  name: 'sweep',
  summary:
    'Train every combination of lists of parameters: --lr 1e-3,3e-4 --batch-size 16,32; of your own code, too',
  details: [
    'The trainings are given to a pool of containers and go on when this command, or the terminal, has ended. One that ' +
      'fails does not stop the others. "tiny-cats sweeps" compares them.',
    'Ctrl+C or SIGTERM stops all of it after the running steps and saves checkpoints, Ctrl+C again kills what trains, ' +
      'a third one leaves it. Exit code 1 if a training failed.',
    'With --json, stdout has one line for each training that has ended, and last an object with sweep_id, status, best ' +
      'and trials.',
  ],
  options: [{ spec: JOBS, short: 'j' }, { spec: DETACH }],
  positional: { name: 'FILE:NAME', required: false },
  takesParameters: true,
  takesCode: true,
  takesLists: true,
  run: async (context, { settings, recipe, program, given }) => {
    const { params, axes } = readAxes(recipe, givenParameters(recipe, given));
    if (axes.length === 0) {
      throw new UsageError(
        'A sweep needs a parameter with more than one value, such as --lr 1e-3,3e-4. "train" trains once.',
      );
    }
    const place = sweepPlace(context, settings);
    const { engine, container } = settings;
    const { sweepId } = await beginSweep(
      {
        recipe,
        program,
        runsAs: recipe.name,
        params,
        axes,
        jobs: numberValue(given, JOBS),
        target: settings.target,
        engine,
        settings: container,
      },
      place,
    );
    if (flag(given, DETACH.name)) {
      context.terminal.line(settings.json ? jsonLine({ sweep_id: sweepId }) : sweepId);
      return ExitCode.done;
    }
    return new SweepWatch(context, place, sweepId, settings.json).follow();
  },
};

/** Tells lists from single values. @throws ParameterError naming the option */
function readAxes(
  recipe: RecipeSpec,
  given: ParameterValues,
): { params: ParameterValues; axes: SweepAxis[] } {
  const params: ParameterValues = {};
  const axes: SweepAxis[] = [];
  for (const [name, text] of Object.entries(given)) {
    const spec = recipe.parameters.find((each) => each.name === name);
    if (spec === undefined) {
      continue;
    }
    const values = parseValues(spec, String(text));
    const [first] = values;
    if (values.length > 1) {
      axes.push({ name, values });
    } else if (first !== undefined) {
      params[name] = first;
    }
  }
  return { params, axes };
}
