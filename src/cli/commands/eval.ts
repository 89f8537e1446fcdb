import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as v from 'valibot';
import type { EvaluateOptions } from '../../container/evaluate/evaluate';
import type { Evaluation } from '../../container/evaluate/evaluation';
import { evaluationSchema } from '../../container/evaluate/evaluation';
import { parse } from '../../protocol/schema';
import { enginesDir } from '../../targets/local/paths';
import { checkpointPath } from '../checkpointPath';
import type { CliContext, Command, Invocation } from '../command';
import { CommandError, ExitCode, UsageError } from '../errors';
import { evaluationLines } from '../evaluationText';
import type { Option } from '../options';
import { jsonLine, plainLines } from '../text';

const DATA_DIR: Option = {
  spec: {
    name: 'data_dir',
    type: 'folder',
    default: '',
    description: 'Folder of images with one sub-folder for each class, or "sample" for the drawn sample cats',
  },
};

const SPLITS = ['auto', 'all', 'val', 'train'] as const;
const SPLIT: Option = {
  spec: {
    name: 'split',
    type: 'choice',
    default: 'auto',
    choices: [...SPLITS],
    description:
      'Which images; auto: val if the folder is the one that the checkpoint was trained on, else all; val: those that ' +
      'its run kept for validation',
  },
};

export const evalCommand: Command = {
  name: 'eval',
  summary: 'Score a checkpoint, or the best one of a run, on a folder of images',
  details: [
    'Prepares the images as the training did and matches classes by name. It computes in this process and needs no ' +
      'container. Prints accuracy, loss, the accuracy of each class and the confusion matrix.',
  ],
  positional: { name: 'CHECKPOINT|RUN_ID', required: true },
  options: [DATA_DIR, SPLIT],
  run: async (context, { settings, given, positional }) => {
    const dataDir = given.data_dir;
    if (positional === undefined || typeof dataDir !== 'string') {
      throw new UsageError('"eval" needs a checkpoint or the id of a run, and --data-dir.');
    }
    const checkpoint = await checkpointPath(context, settings, positional);
    const stop = new AbortController();
    const unlisten = context.onSignal(() => stop.abort());
    try {
      const split = parse(v.picklist(SPLITS), given.split ?? 'auto', '--split');
      const evaluation = await evaluate(context, { settings, checkpoint, dataDir, split, stop: stop.signal });
      const lines = settings.json
        ? [jsonLine({ checkpoint, data_dir: dataDir, ...evaluation })]
        : evaluationLines(checkpoint, evaluation);
      for (const line of lines) {
        context.terminal.line(line);
      }
      return ExitCode.done;
    } catch (error) {
      if (stop.signal.aborted) {
        return ExitCode.stopped;
      }
      throw error;
    } finally {
      unlisten();
    }
  },
};

interface Request extends Pick<EvaluateOptions, 'checkpoint' | 'dataDir' | 'split' | 'stop'> {
  settings: Invocation['settings'];
}

/** Loads what computes only now: most commands have no use for it. */
async function evaluate(
  { bundleDir, terminal }: CliContext,
  { settings, ...request }: Request,
): Promise<Evaluation> {
  const bundle: unknown = await import(pathToFileURL(join(bundleDir, 'evaluate.js')).href);
  if (!isEvaluator(bundle)) {
    throw new CommandError(`${bundleDir} lacks what evaluates; install Tiny Cats again.`);
  }
  const options: EvaluateOptions = {
    ...request,
    dataVolume: settings.dataDir,
    wasmDir: join(bundleDir, 'wasm'),
    enginesDir: enginesDir(),
    engine: settings.engine,
    log: (text) => terminal.message(plainLines(text)),
  };
  let evaluation: unknown;
  try {
    evaluation = await bundle.evaluate(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(reason, { cause: error });
  }
  return parse(evaluationSchema, evaluation, 'evaluation');
}

function isEvaluator(
  bundle: unknown,
): bundle is { evaluate: (options: EvaluateOptions) => Promise<unknown> } {
  return (
    typeof bundle === 'object' &&
    bundle !== null &&
    'evaluate' in bundle &&
    typeof bundle.evaluate === 'function'
  );
}
