import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DrawOptions } from '../../container/recipes/dit/drawCheckpoint';
import { writeFileAtomic } from '../../volume/atomicFile';
import { DIT } from '../../protocol/recipes';
import type { ParameterSpec } from '../../protocol/parameters';
import { enginesDir } from '../../targets/local/paths';
import { checkpointPath } from '../checkpointPath';
import type { CliContext, Command } from '../command';
import { CommandError, ExitCode, UsageError } from '../errors';
import type { Option } from '../options';
import { jsonLine, plainLines } from '../text';

/** As the recipe has it. */
function ofRecipe(name: string): Option {
  const spec = DIT.parameters.find((each) => each.name === name);
  if (spec === undefined) {
    throw new Error(`the recipe "dit" has no parameter "${name}"`);
  }
  return { spec };
}

const option = (spec: ParameterSpec): Option => ({ spec });

const OPTIONS = [
  option({ name: 'class', type: 'text', default: '', description: 'Class to draw; all in turn by default' }),
  option({
    name: 'count',
    type: 'integer',
    default: 16,
    minimum: 1,
    maximum: 1024,
    description: 'How many images',
  }),
  option({ name: 'out', type: 'text', default: 'samples.png', description: 'Where to write the picture' }),
  ofRecipe('sample_steps'),
  ofRecipe('guidance_scale'),
  ofRecipe('seed'),
];

export const sampleCommand: Command = {
  name: 'sample',
  summary: 'Draw images with a checkpoint of the recipe "dit", or the best one of a run',
  details: ['Writes one PNG with all images. It computes in this process and needs no container.'],
  positional: { name: 'CHECKPOINT|RUN_ID', required: true },
  options: OPTIONS,
  run: async (context, { settings, given, positional }) => {
    if (positional === undefined) {
      throw new UsageError('"sample" needs a checkpoint or the id of a run.');
    }
    const value = (name: string) =>
      given[name] ?? OPTIONS.find(({ spec }) => spec.name === name)?.spec.default;
    const out = resolve(context.cwd, String(value('out')));
    const className = String(value('class'));
    const checkpoint = await checkpointPath(context, settings, positional);
    const stop = new AbortController();
    const unlisten = context.onSignal(() => stop.abort());
    try {
      const picture = await draw(context, {
        checkpoint,
        className: className === '' ? undefined : className,
        count: Number(value('count')),
        steps: Number(value('sample_steps')),
        guidanceScale: Number(value('guidance_scale')),
        seed: Number(value('seed')),
        engine: settings.engine,
        stop: stop.signal,
      });
      await writeFileAtomic(out, picture);
      context.terminal.line(settings.json ? jsonLine({ checkpoint, out }) : out);
      return ExitCode.done;
    } catch (error) {
      if (stop.signal.aborted) {
        return ExitCode.stopped;
      }
      throw new CommandError(error instanceof Error ? error.message : String(error), { cause: error });
    } finally {
      unlisten();
    }
  },
};

/** Loads what computes only now: most commands have no use for it. */
async function draw(
  { bundleDir, terminal }: CliContext,
  request: Omit<DrawOptions, 'wasmDir' | 'enginesDir' | 'log'>,
): Promise<Uint8Array> {
  const bundle: unknown = await import(pathToFileURL(join(bundleDir, 'evaluate.js')).href);
  const picture: unknown = canDraw(bundle)
    ? await bundle.drawCheckpoint({
        ...request,
        wasmDir: join(bundleDir, 'wasm'),
        enginesDir: enginesDir(),
        log: (text) => terminal.message(plainLines(text)),
      })
    : undefined;
  if (!(picture instanceof Uint8Array)) {
    throw new Error(`${bundleDir} lacks what draws; install Tiny Cats again.`);
  }
  return picture;
}

function canDraw(bundle: unknown): bundle is { drawCheckpoint: (options: DrawOptions) => Promise<unknown> } {
  return (
    typeof bundle === 'object' &&
    bundle !== null &&
    'drawCheckpoint' in bundle &&
    typeof bundle.drawCheckpoint === 'function'
  );
}
