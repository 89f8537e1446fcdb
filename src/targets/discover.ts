import { constants } from 'node:fs';
import { access, readFile, readdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import * as v from 'valibot';

/** Includes of includes end somewhere. */
const MAX_DEPTH = 8;

/**
 * Names of hosts in the user's ssh configuration, in its order; patterns stand for many and are left out.
 * @param home of the user
 */
export async function sshHosts(home: string): Promise<string[]> {
  const dir = join(home, '.ssh');
  const hosts = await hostsIn(join(dir, 'config'), dir, home, 0);
  return [...new Set(hosts)];
}

async function hostsIn(path: string, dir: string, home: string, depth: number): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const hosts: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, keyword, rest] = /^\s*(host|include)(?:\s*=\s*|\s+)(.*?)\s*$/i.exec(line) ?? [];
    if (keyword === undefined || rest === undefined) {
      continue;
    }
    const words = [...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
    if (keyword.toLowerCase() === 'host') {
      hosts.push(...words.filter((word) => !/[*?!]/.test(word) && !word.startsWith('-')));
    } else if (depth < MAX_DEPTH) {
      for (const word of words) {
        for (const included of await filesOf(word.replace(/^~(?=\/)/, home), dir)) {
          hosts.push(...(await hostsIn(included, dir, home, depth + 1)));
        }
      }
    }
  }
  return hosts;
}

/** Files that an Include means: ssh takes wildcards, of which those in the last part are what people write. */
async function filesOf(pattern: string, dir: string): Promise<string[]> {
  const path = isAbsolute(pattern) ? pattern : join(dir, pattern);
  const last = basename(path);
  if (!/[*?]/.test(last)) {
    return [path];
  }
  const expression = new RegExp(
    `^${last
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  const names = await readdir(dirname(path)).catch(() => []);
  return names
    .filter((name) => expression.test(name))
    .sort()
    .map((name) => join(dirname(path), name));
}

/** Where a container engine answers. */
export interface EnginePlace {
  title: string;
  description: string;
  options: { engine: 'docker' | 'podman'; socket?: string; context?: string };
}

const contextSchema = v.object({
  Name: v.string(),
  Endpoints: v.object({ docker: v.object({ Host: v.optional(v.string(), '') }) }),
});

/** Docker's contexts, and the sockets of Docker and Podman that are there. */
export async function enginePlaces(home: string, env: NodeJS.ProcessEnv): Promise<EnginePlace[]> {
  const runtimeDir = env.XDG_RUNTIME_DIR;
  const sockets = [
    { engine: 'docker', socket: '/var/run/docker.sock' },
    { engine: 'podman', socket: '/run/podman/podman.sock' },
    ...(runtimeDir === undefined
      ? []
      : [
          { engine: 'docker', socket: join(runtimeDir, 'docker.sock') } as const,
          { engine: 'podman', socket: join(runtimeDir, 'podman', 'podman.sock') } as const,
        ]),
  ] as const;
  const present = await Promise.all(sockets.map(async (each) => ((await exists(each.socket)) ? [each] : [])));
  return [
    ...present.flat().map(({ engine, socket }) => ({
      title: engine === 'docker' ? 'Docker' : 'Podman',
      description: socket,
      options: { engine, socket },
    })),
    ...(await dockerContexts(home)),
  ];
}

async function dockerContexts(home: string): Promise<EnginePlace[]> {
  const dir = join(home, '.docker', 'contexts', 'meta');
  const places: EnginePlace[] = [];
  for (const name of await readdir(dir).catch(() => [])) {
    const text = await readFile(join(dir, name, 'meta.json'), 'utf8').catch(() => '');
    const context = v.safeParse(contextSchema, jsonOrUndefined(text));
    if (context.success) {
      const { Name, Endpoints } = context.output;
      places.push({
        title: `Docker context ${Name}`,
        description: Endpoints.docker.Host,
        options: { engine: 'docker', context: Name },
      });
    }
  }
  return places;
}

/** Profiles of Modal's own configuration, by their names alone: what else is in it is secret. */
export async function modalProfiles(home: string): Promise<string[]> {
  const text = await readFile(join(home, '.modal.toml'), 'utf8').catch(() => '');
  return [...text.matchAll(/^\s*\[([^\]\n]+)\]\s*$/gm)].map(([, name]) => (name ?? '').trim());
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
