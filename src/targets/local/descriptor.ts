import { chmod, lstat, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { parse } from '../../protocol/schema';
import { withLock } from './fileLock';
import { isAlive } from './processIdentity';

/** What a living container publishes about itself. It holds the token: readable by its user alone. */
const descriptorSchema = v.object({
  containerId: v.string(),
  pid: v.number(),
  /** See `processStartTime`. */
  pidStartTime: v.nullable(v.number()),
  /** 0 where it listens on a socket. */
  port: v.number(),
  socketPath: v.optional(v.string()),
  token: v.string(),
  version: v.string(),
  outputsDir: v.string(),
});
export type Descriptor = v.InferOutput<typeof descriptorSchema>;

const NAME = 'container.json';

/** Makes the folder, for this user alone. @throws Error if it belongs to somebody else */
export async function ensurePrivateDir(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const facts = await lstat(dir);
  if (!facts.isDirectory() || !isOwn(facts.uid)) {
    throw new Error(`${dir} is not a folder of this user: remove it, or choose another with TINY_CATS_HOME`);
  }
  await chmod(dir, 0o700);
}

/**
 * The descriptor in `dir`, whether or not its container still lives; undefined if there is none.
 * @throws Error if it could have been written or read by another user, or cannot be understood
 */
export async function readDescriptor(dir: string): Promise<Descriptor | undefined> {
  const path = join(dir, NAME);
  let file;
  try {
    await refuseSharedDir(dir);
    file = await open(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
  try {
    const facts = await file.stat();
    if (process.platform !== 'win32' && (!isOwn(facts.uid) || (facts.mode & 0o077) !== 0)) {
      throw new Error(
        `${path} could be read or written by another user: remove it and start the container again`,
      );
    }
    return parseDescriptor(path, await file.readFile('utf8'));
  } finally {
    await file.close();
  }
}

/** @throws Error if another user could put a descriptor into the folder */
async function refuseSharedDir(dir: string): Promise<void> {
  const facts = await lstat(dir);
  const isShared = process.platform !== 'win32' && (facts.mode & 0o022) !== 0;
  if (!facts.isDirectory() || !isOwn(facts.uid) || isShared) {
    throw new Error(`${dir} is not a folder that this user alone can write: remove it, or make it so`);
  }
}

/**
 * Makes this process the container of `dir`. Of several that try at once exactly one succeeds; the others wait for
 * it and get its descriptor.
 * @param prepare makes the descriptor, or is it; not called if a container lives already
 * @returns the descriptor of the container that lives already, if there is one
 */
export async function publishDescriptor(
  dir: string,
  prepare: Descriptor | (() => Promise<Descriptor>),
): Promise<Descriptor | undefined> {
  await ensurePrivateDir(dir);
  return withLock(dir, async () => {
    const present = await readDescriptor(dir);
    if (present !== undefined && isAlive(present.pid, present.pidStartTime)) {
      return present;
    }
    const descriptor = typeof prepare === 'function' ? await prepare() : prepare;
    const temporary = join(dir, `.${randomUUID()}`);
    await writeFile(temporary, JSON.stringify(descriptor), { mode: 0o600, flag: 'wx' });
    await rename(temporary, join(dir, NAME));
    return undefined;
  });
}

/**
 * Removes the descriptor of that container and of no other, however many do so at once.
 * @param containerId without one whichever is there; for who knows that no other can be
 */
export async function removeDescriptor(dir: string, containerId?: string): Promise<void> {
  try {
    await withLock(dir, async () => {
      if (containerId === undefined || (await readDescriptor(dir))?.containerId === containerId) {
        await rm(join(dir, NAME), { force: true });
      }
    });
  } catch (error) {
    // Without the folder there is nothing to remove.
    if (!hasCode(error, 'ENOENT')) {
      throw error;
    }
  }
}

function parseDescriptor(path: string, text: string): Descriptor {
  try {
    return parse(descriptorSchema, JSON.parse(text), 'descriptor');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${path} cannot be understood (${reason}): remove it and start the container again`);
  }
}

function isOwn(uid: number): boolean {
  return process.getuid === undefined || uid === process.getuid();
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
