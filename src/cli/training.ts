import type { ContainerClient } from '../client/containerClient';
import type { ParameterValues, RecipeSpec } from '../protocol/parameters';
import type { Program } from '../protocol/program';
import type { CliContext } from './command';
import { ExitCode } from './errors';
import { JsonPrinter } from './jsonPrinter';
import type { Option } from './options';
import { RunWatch } from './runWatch';
import type { RunPrinter } from './runPrinter';
import type { Settings } from './settings';
import { flag } from './settings';
import type { Terminal } from './terminal';
import { TextPrinter } from './textPrinter';
import { containerOptions, engineDifference, openClient, reached } from './workplace';

const DETACH: Option = {
  spec: {
    name: 'detach',
    type: 'boolean',
    default: false,
    description: 'Print the id of the run and leave it going in the container',
  },
};

const QUEUE: Option = {
  spec: {
    name: 'queue',
    type: 'boolean',
    default: false,
    description: 'Wait for the runs that have the container, in place of being refused',
  },
};

/** Options of every command that trains. */
export const TRAINING_OPTIONS: readonly Option[] = [DETACH, QUEUE];

export const TRAINING_DETAILS: readonly string[] = [
  'Follows the run to its end. Ctrl+C or SIGTERM stops it after the present step and saves a checkpoint, Ctrl+C ' +
    'again kills it, a third one leaves it. If the terminal is closed or the reader of the output goes away, the ' +
    'run goes on in the container: "tiny-cats status" and "tiny-cats runs" tell of it.',
  'With --json, stdout has one event a line, and last an object with status, output, val_acc, start, ' +
    'time_to_first_step_ms, run_id and, if there was one, error; of your own code returned as well.',
];

export function runPrinter(terminal: Terminal, json: boolean): RunPrinter {
  return json ? new JsonPrinter(terminal) : new TextPrinter(terminal);
}

export interface TrainingRequest {
  recipe: RecipeSpec;
  /** Checked parameters of the recipe. */
  params: ParameterValues;
  program: Program;
  /** The values of TRAINING_OPTIONS. */
  given: ParameterValues;
  /** The run to go on with. */
  resumeRun?: string;
}

/** Trains and follows the run, unless it is to be left alone. */
export async function train(
  context: CliContext,
  settings: Settings,
  request: TrainingRequest,
): Promise<ExitCode> {
  const printer = runPrinter(context.terminal, settings.json);
  const client = openClient(context, settings);
  try {
    printer.starting();
    client.on('sending', (progress) => printer.sending(progress));
    const begun = begin(client, printer, settings, request);
    if (flag(request.given, DETACH.spec.name)) {
      printer.detached(await begun);
      return ExitCode.done;
    }
    return await new RunWatch(client, printer, context).follow(begun);
  } finally {
    context.terminal.clearProgress();
    client.dispose();
  }
}

async function begin(
  client: ContainerClient,
  printer: RunPrinter,
  settings: Settings,
  { recipe, params, program, given, resumeRun }: TrainingRequest,
): Promise<string> {
  const runId = await reached(
    client.train(recipe.name, params, containerOptions(settings, recipe, params, program), {
      whenBusy: flag(given, QUEUE.spec.name) ? 'queue' : 'refuse',
      ...(resumeRun === undefined ? {} : { resumeRun }),
    }),
  );
  const difference = engineDifference(settings, client.status);
  if (difference !== undefined) {
    printer.notice(difference);
  }
  return runId;
}
