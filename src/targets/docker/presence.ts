import * as v from 'valibot';
import { parse } from '../../protocol/schema';
import { ContainerStartError } from '../target';
import type { Engine } from './engine';
import { INSIDE, LABEL } from './layout';
import { statusOf } from './problems';

const inspectSchema = v.object({
  Id: v.string(),
  Name: v.string(),
  Image: v.string(),
  State: v.object({
    Status: v.string(),
    Running: v.boolean(),
    ExitCode: v.number(),
    OOMKilled: v.optional(v.boolean()),
  }),
  Config: v.object({ Labels: v.nullish(v.record(v.string(), v.string())) }),
  NetworkSettings: v.object({
    Ports: v.nullish(
      v.record(v.string(), v.nullish(v.array(v.object({ HostIp: v.string(), HostPort: v.string() })))),
    ),
  }),
});

/** A container of ours that the engine has, running or not. */
export interface Present {
  id: string;
  name: string;
  role: string;
  /** `starting`: made, and not started yet. */
  state: 'starting' | 'running' | 'stopped';
  exitCode: number;
  wasOutOfMemory: boolean;
  /** Port on the engine's machine; it changes with each start. */
  hostPort: number | undefined;
  /** Hash of all that it was made from. */
  make: string;
  /** Id of its image. */
  imageId: string;
}

/** End of the name of a container that is kept for its snapshot alone, so that another can have the volumes. */
export const ASIDE = '-snapshot';

/** The container of an outputs volume and slot, found by its labels. */
export async function findPresent(
  engine: Engine,
  outputsVolume: string,
  slot: number,
): Promise<Present | undefined> {
  const label = [`${LABEL.outputs}=${outputsVolume}`, `${LABEL.slot}=${slot}`];
  const all = await engine.quick.listContainers({ all: true, filters: { label } });
  const found = all.find(({ Names }) => !Names.some((name) => name.endsWith(ASIDE)));
  return found === undefined ? undefined : inspect(engine, found.Id);
}

/** The running containers that share an outputs volume with the one of a slot. */
export async function findOthers(engine: Engine, outputsVolume: string, slot: number): Promise<Present[]> {
  const label = [`${LABEL.outputs}=${outputsVolume}`, `${LABEL.role}=container`];
  const found = await engine.quick.listContainers({ filters: { label } });
  const others = found.filter(({ Labels }) => Labels[LABEL.slot] !== String(slot));
  const present = await Promise.all(others.map(({ Id }) => inspect(engine, Id)));
  return present.filter((other) => other !== undefined);
}

/** @param id or name. @returns undefined if it is gone */
export async function inspect(engine: Engine, id: string): Promise<Present | undefined> {
  let said: unknown;
  try {
    said = await engine.quick.getContainer(id).inspect();
  } catch (error) {
    if (statusOf(error) === 404) {
      return undefined;
    }
    throw error;
  }
  const { Id, Name, Image, State, Config, NetworkSettings } = parse(
    inspectSchema,
    said,
    `answer of ${engine.title}`,
  );
  const binding = NetworkSettings.Ports?.[`${INSIDE.port}/tcp`]?.[0];
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    role: Config.Labels?.[LABEL.role] ?? '',
    state: State.Running ? 'running' : isBeforeStart(State.Status) ? 'starting' : 'stopped',
    exitCode: State.ExitCode,
    wasOutOfMemory: State.OOMKilled === true,
    hostPort: binding === undefined ? undefined : Number(binding.HostPort),
    make: Config.Labels?.[LABEL.make] ?? '',
    imageId: Image,
  };
}

function isBeforeStart(status: string): boolean {
  return ['created', 'configured', 'initialized'].includes(status);
}

/** Engines say ids with and without the name of the hash. */
export function isSameId(one: string, other: string): boolean {
  return one.replace(/^sha256:/, '') === other.replace(/^sha256:/, '');
}

/** Removes it in whatever state it is; the volumes stay. */
export async function remove(engine: Engine, id: string): Promise<void> {
  try {
    await engine.slow.getContainer(id).remove({ force: true, v: false });
  } catch (error) {
    // Gone, or being removed already.
    if (statusOf(error) !== 404 && statusOf(error) !== 409) {
      throw error;
    }
  }
}

/** @throws ContainerStartError with the container's last words */
export async function failEnded(engine: Engine, id: string, present: Present | undefined): Promise<never> {
  const tail = present === undefined ? '' : await logTail(engine, id);
  const how =
    present === undefined
      ? 'was removed'
      : present.wasOutOfMemory
        ? 'ran out of memory'
        : `ended with exit code ${present.exitCode}`;
  throw new ContainerStartError(
    `The container ${how} while it started. ${tail === '' ? 'It wrote nothing.' : `It wrote:\n${tail}`}`,
  );
}

/** The last lines that a container wrote. */
export async function logTail(engine: Engine, id: string, lines = 20): Promise<string> {
  const raw = await engine.quick
    .getContainer(id)
    .logs({ stdout: true, stderr: true, tail: lines })
    .catch(() => Buffer.alloc(0));
  return unframed(raw).trim();
}

const FRAME_HEADER_BYTES = 8;

/** Takes the headers out with which engines tell stdout from stderr. */
function unframed(raw: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + FRAME_HEADER_BYTES <= raw.length;) {
    const bytes = raw.readUInt32BE(at + 4);
    parts.push(raw.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + bytes));
    at += FRAME_HEADER_BYTES + bytes;
  }
  return Buffer.concat(parts).toString('utf8');
}
