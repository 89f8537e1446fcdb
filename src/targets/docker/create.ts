import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { parse } from '../../protocol/schema';
import type { Bundle } from '../bundle';
import { Archive } from './archive';
import type { ContainerSpec } from './containerSpec';
import { forDocker, forPodman } from './containerSpec';
import type { Engine } from './engine';
import { text } from './http';
import { INSIDE } from './layout';
import { isNameTaken, messageOf } from './problems';
import { remove } from './presence';

const CREATE_TIMEOUT_MS = 60_000;
const createdSchema = v.object({ Id: v.string() });

/** Another container has the name: it owns the volumes. */
export class NameTaken extends Error {
  override readonly name = 'NameTaken';
}

/**
 * Makes a container, puts the code into it and starts it. The engine lets one container have a name: of several that try
 * at once one gets it, whatever window or machine they are on.
 * @param options what the container is to find in `INSIDE.options`
 * @throws NameTaken, or Error with what the engine says; then there is no container
 */
export async function createAndStart(
  engine: Engine,
  spec: ContainerSpec,
  code: Bundle,
  options?: () => string,
  sent?: (put: () => Promise<void>) => Promise<void>,
): Promise<string> {
  const id = await create(engine, spec);
  try {
    const container = engine.slow.getContainer(id);
    const put = async (): Promise<void> => {
      await container.putArchive(archiveOf(code, options?.()), { path: '/' });
    };
    await (sent === undefined ? put() : sent(put));
    await container.start();
    return id;
  } catch (error) {
    await remove(engine, id).catch(() => undefined);
    // The engine has no such program (Debian has it in a package of its own): ours is PID 1 then, and handles SIGTERM.
    if (spec.init && isInitMissing(error)) {
      return createAndStart(engine, { ...spec, init: false }, code, options, sent);
    }
    throw error;
  }
}

/**
 * Podman's PID 1 by its real path: CRIU restores no container into which a symbolic link was mounted, and Debian has a
 * link where Podman looks.
 */
async function podmanInit(): Promise<string | undefined> {
  for (const dir of [
    '/usr/libexec/podman',
    '/usr/local/libexec/podman',
    '/usr/local/lib/podman',
    '/usr/lib/podman',
  ]) {
    const path = await realpath(join(dir, 'catatonit')).catch(() => undefined);
    if (path !== undefined) {
      return path;
    }
  }
  return undefined;
}

/** Gives a stopped container the name by which it owns the volumes. @throws NameTaken */
export async function takeName(engine: Engine, id: string, name: string): Promise<void> {
  try {
    await engine.quick.getContainer(id).rename({ name });
  } catch (error) {
    throw isNameTaken(error) ? new NameTaken(messageOf(error), { cause: error }) : error;
  }
}

async function create(engine: Engine, spec: ContainerSpec): Promise<string> {
  try {
    if (engine.kind === 'docker') {
      return (await engine.slow.createContainer(forDocker(spec))).id;
    }
    const path = '/containers/create';
    const body = forPodman(spec, engine.isHere ? await podmanInit() : undefined);
    const answer = await engine.libpod({ method: 'POST', path, body, timeoutMs: CREATE_TIMEOUT_MS });
    return parse(createdSchema, JSON.parse(await text(answer)), 'answer of Podman').Id;
  } catch (error) {
    if (isNameTaken(error)) {
      throw new NameTaken(messageOf(error), { cause: error });
    }
    if (spec.init && isInitMissing(error)) {
      return create(engine, { ...spec, init: false });
    }
    throw error;
  }
}

function isInitMissing(error: unknown): boolean {
  return /container-init binary not found|docker-init/i.test(messageOf(error));
}

function archiveOf(code: Bundle, options: string | undefined): NodeJS.ReadableStream {
  const archive = new Archive()
    // Fresh volumes belong to root, and the image may have another user.
    .folder(INSIDE.outputs, true)
    .folder(INSIDE.data, true)
    .folder(INSIDE.state, true);
  for (const { path, content } of code.files) {
    archive.file(`${INSIDE.code}/${path}`, content);
  }
  if (options !== undefined) {
    archive.file(INSIDE.options, options);
  }
  return archive.end();
}
