import { createHash } from 'node:crypto';
import { access, readFile, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import type { EngineAddress } from './address';
import { parseAddress } from './address';

/** A way to an engine that this machine knows of. */
export interface DockerContext {
  name: string;
  /** As Docker writes it: unix:///var/run/docker.sock */
  host: string;
  /** It is the one that the docker command takes. */
  isCurrent: boolean;
  description?: string;
  /** Folder of its certificates. */
  tls?: string;
}

/** Where this machine's engines and their configuration are looked for; tests put their own in place. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  home: string;
  platform: NodeJS.Platform;
  uid: number;
}

export const thisMachine = (): Surroundings => ({
  env: process.env,
  home: homedir(),
  platform: process.platform,
  uid: process.getuid?.() ?? 0,
});

const configSchema = v.object({ currentContext: v.optional(v.string()) });
const contextSchema = v.object({
  Name: v.string(),
  Metadata: v.optional(v.object({ Description: v.optional(v.string()) })),
  Endpoints: v.object({ docker: v.optional(v.object({ Host: v.optional(v.string()) })) }),
});
/** The name of the context that needs no file. */
const DEFAULT = 'default';

/**
 * The Docker contexts of this user, the default one first. Files that cannot be read are passed over: the docker command
 * is who reports them.
 */
export async function dockerContexts(at: Surroundings = thisMachine()): Promise<DockerContext[]> {
  const folder = dockerFolder(at);
  const current =
    given(at.env.DOCKER_HOST) === undefined
      ? (given(at.env.DOCKER_CONTEXT) ??
        (await readJson(join(folder, 'config.json'), configSchema))?.currentContext)
      : undefined;
  const names = await readdir(join(folder, 'contexts', 'meta')).catch(() => []);
  const stored = await Promise.all(
    names.map((name) => readJson(join(folder, 'contexts', 'meta', name, 'meta.json'), contextSchema)),
  );
  const contexts: DockerContext[] = [
    {
      name: DEFAULT,
      host: given(at.env.DOCKER_HOST) ?? (await defaultHost(at)),
      isCurrent: (current ?? DEFAULT) === DEFAULT,
      ...envTls(at),
    },
  ];
  for (const context of stored) {
    const host = context?.Endpoints.docker?.Host;
    if (context === undefined || host === undefined || host === '') {
      continue;
    }
    const description = context.Metadata?.Description;
    contexts.push({
      name: context.Name,
      host,
      isCurrent: context.Name === current,
      ...(description === undefined || description === '' ? {} : { description }),
      ...(await contextTls(folder, context.Name)),
    });
  }
  return contexts;
}

/** Which engines a target means. */
export interface EngineChoice {
  engine: 'docker' | 'podman' | 'auto';
  socket?: string | undefined;
  context?: string | undefined;
}

/**
 * The addresses at which the chosen engine may answer, likeliest first.
 * @throws Error if the named context does not exist, or an address cannot be understood
 */
export async function engineAddresses(
  { engine, socket, context }: EngineChoice,
  at: Surroundings = thisMachine(),
): Promise<EngineAddress[]> {
  if (socket !== undefined) {
    return [parseAddress(expandHome(socket, at))];
  }
  const docker = engine === 'podman' && context === undefined ? [] : await dockerAddresses(context, at);
  return engine === 'docker' || context !== undefined ? docker : [...docker, ...podmanAddresses(at)];
}

async function dockerAddresses(name: string | undefined, at: Surroundings): Promise<EngineAddress[]> {
  const contexts = await dockerContexts(at);
  const chosen = contexts.find((context) => (name === undefined ? context.isCurrent : context.name === name));
  if (chosen === undefined) {
    const there = contexts.map((context) => `"${context.name}"`).join(', ');
    throw new Error(
      `There is no Docker context "${name ?? given(at.env.DOCKER_CONTEXT) ?? ''}", only ${there}.`,
    );
  }
  return [parseAddress(chosen.host, chosen.tls)];
}

function podmanAddresses({ env, home, platform, uid }: Surroundings): EngineAddress[] {
  const named = given(env.CONTAINER_HOST);
  if (named !== undefined) {
    return [parseAddress(named)];
  }
  if (platform === 'win32') {
    return [{ via: 'socket', path: '//./pipe/podman-machine-default' }];
  }
  const ownFolder = given(env.XDG_RUNTIME_DIR) ?? `/run/user/${uid}`;
  const ofMachine = join(home, '.local/share/containers/podman/machine/podman.sock');
  const paths = [join(ownFolder, 'podman/podman.sock'), '/run/podman/podman.sock'];
  return [...paths, ...(platform === 'darwin' ? [ofMachine] : [])].map((path) => ({ via: 'socket', path }));
}

/** Docker's own socket, or that of a rootless Docker or Docker Desktop where only that is there. */
async function defaultHost({ env, home, platform, uid }: Surroundings): Promise<string> {
  if (platform === 'win32') {
    return 'npipe:////./pipe/docker_engine';
  }
  const system = '/var/run/docker.sock';
  const ownFolder = given(env.XDG_RUNTIME_DIR) ?? `/run/user/${uid}`;
  const others = [
    join(home, '.docker/run/docker.sock'),
    join(home, '.docker/desktop/docker.sock'),
    join(ownFolder, 'docker.sock'),
  ];
  for (const path of [system, ...others]) {
    if (await exists(path)) {
      return `unix://${path}`;
    }
  }
  return `unix://${system}`;
}

function dockerFolder({ env, home }: Surroundings): string {
  return given(env.DOCKER_CONFIG) ?? join(home, '.docker');
}

function envTls(at: Surroundings): { tls?: string } {
  return given(at.env.DOCKER_TLS_VERIFY) === undefined
    ? {}
    : { tls: given(at.env.DOCKER_CERT_PATH) ?? dockerFolder(at) };
}

async function contextTls(folder: string, name: string): Promise<{ tls?: string }> {
  const id = createHash('sha256').update(name).digest('hex');
  const tls = join(folder, 'contexts', 'tls', id, 'docker');
  return (await exists(join(tls, 'ca.pem'))) ? { tls } : {};
}

function expandHome(path: string, { home }: Surroundings): string {
  return path.startsWith('~/') ? join(home, path.slice(2)) : path;
}

function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function readJson<T extends v.GenericSchema>(
  path: string,
  schema: T,
): Promise<v.InferOutput<T> | undefined> {
  try {
    return v.parse(schema, JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}
