import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import * as v from 'valibot';
import { parse } from '../../protocol/schema';
import type { StartProgress } from '../target';
import type { Engine } from './engine';
import { startError, statusOf } from './problems';
import { followProgress } from './progressLines';

/** The image of a container: one that has a name, or one that is built from a Containerfile that comes along. */
export type ImageSource = { name: string } & ({ from: 'registry' } | { from: 'containerfile'; text: string });

/**
 * @param named the image that the target names, if it does
 * @param bundleDir its folder `containers` holds the Containerfiles
 */
export async function imageSource(
  named: string | undefined,
  withGpu: boolean,
  bundleDir: string,
): Promise<ImageSource> {
  if (named !== undefined) {
    return { from: 'registry', name: named };
  }
  const text = await readFile(
    join(bundleDir, 'containers', withGpu ? 'Containerfile.cuda' : 'Containerfile'),
    'utf8',
  );
  // One that is built from other lines has another name.
  const version = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return { from: 'containerfile', name: `localhost/tiny-cats:${withGpu ? 'cuda' : 'cpu'}-${version}`, text };
}

const imageSchema = v.object({
  Id: v.string(),
  Architecture: v.optional(v.string()),
  Size: v.optional(v.number()),
});
export type ImageFacts = v.InferOutput<typeof imageSchema>;

/** What the engine has under that name; undefined if nothing. */
export async function findImage(engine: Engine, name: string): Promise<ImageFacts | undefined> {
  try {
    return parse(imageSchema, await engine.quick.getImage(name).inspect(), `image "${name}"`);
  } catch (error) {
    if (statusOf(error) === 404) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Pulls or builds the image if the engine does not have it.
 * @throws ContainerStartError
 */
export async function ensureImage(
  engine: Engine,
  source: ImageSource,
  progress: StartProgress,
): Promise<void> {
  if ((await findImage(engine, source.name)) !== undefined) {
    return;
  }
  if (source.from === 'registry') {
    await progress.phase('image pull', () => pull(engine, source.name, progress));
  } else {
    await progress.phase('image build', () => build(engine, source, progress));
  }
}

async function pull(engine: Engine, name: string, progress: StartProgress): Promise<void> {
  const title = `Pulling ${name}`;
  progress.log(title);
  try {
    const stream: NodeJS.ReadableStream = await engine.slow.pull(withTag(name));
    await followProgress(stream, title, (text) => progress.log(text));
  } catch (error) {
    throw startError(
      `${engine.title} has no image "${name}" and cannot pull it (check its name, or log in with: ` +
        `${engine.kind} login)`,
      error,
    );
  }
}

async function build(
  engine: Engine,
  { name, text }: Extract<ImageSource, { from: 'containerfile' }>,
  progress: StartProgress,
): Promise<void> {
  const title = 'Building the container image';
  progress.log(`${title} ${name}`);
  const context = pack();
  context.entry({ name: 'Containerfile' }, text);
  context.finalize();
  try {
    const stream = await engine.slow.buildImage(context, { t: name, dockerfile: 'Containerfile' });
    await followProgress(stream, title, (text) => progress.log(text));
  } catch (error) {
    throw startError(`${engine.title} could not build the container image`, error);
  }
}

/** Without a tag an engine would pull all there are. */
function withTag(name: string): string {
  return /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
}
