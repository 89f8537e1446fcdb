import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { parse } from '../../protocol/schema';
import type { StartOptions, Thaw } from '../local/startOptions';
import { thawPath } from '../local/startOptions';
import type { ContainerSpec } from './containerSpec';
import type { Engine } from './engine';
import { text } from './http';
import { putInside, readInside } from './insideFiles';
import { INSIDE } from './layout';
import { ASIDE, inspect, remove } from './presence';
import type { Present } from './presence';
import { messageOf } from './problems';

/** To write or read the memory of a container, models and decoded data included. */
const LIMIT_MS = 300_000;

/** null: one was begun and is not whole. */
const snapshotSchema = v.nullable(
  v.object({
    /** Of the freeze that its processes wait for the end of. */
    freezeId: v.string(),
    /** Milliseconds since the epoch. */
    takenAt: v.number(),
  }),
);
export type Snapshot = NonNullable<v.InferOutput<typeof snapshotSchema>>;

/**
 * Podman keeps the memory of a container's processes with the container, which stays when they end: as often as it is
 * started again it can go on from there. Its volumes are as they are then; one snapshot replaces another.
 */
export async function checkpoint(engine: Engine, id: string, freezeId: string): Promise<void> {
  // Half of a new one has overwritten the last.
  await note(engine, id, null);
  const takenAt = Date.now();
  const path = `/containers/${id}/checkpoint?leaveRunning=true&keep=true`;
  await text(await engine.libpod({ method: 'POST', path, timeoutMs: LIMIT_MS }));
  await note(engine, id, { freezeId, takenAt });
}

async function note(engine: Engine, id: string, snapshot: Snapshot | null): Promise<void> {
  await putInside(engine, id, INSIDE.snapshot, JSON.stringify(snapshot));
}

/** Lets a frozen container go on where it is. */
export async function goOn(engine: Engine, id: string, freezeId: string): Promise<void> {
  await thaw(engine, id, freezeId, { restored: null });
}

/** Starts a stopped container from its snapshot. */
export async function restore(
  engine: Engine,
  id: string,
  { freezeId }: Snapshot,
  options: StartOptions,
): Promise<void> {
  await thaw(engine, id, freezeId, { restored: options });
  // Another container may have got its address meanwhile.
  const path = `/containers/${id}/restore?keep=true&ignoreStaticIP=true&ignoreStaticMAC=true`;
  await text(await engine.libpod({ method: 'POST', path, timeoutMs: LIMIT_MS }));
}

async function thaw(engine: Engine, id: string, freezeId: string, how: Thaw): Promise<void> {
  await putInside(engine, id, thawPath(INSIDE.thawDir, freezeId), JSON.stringify(how));
}

/** @returns undefined if it has none */
export async function snapshotOf(engine: Engine, { id, role }: Present): Promise<Snapshot | undefined> {
  if (engine.kind !== 'podman' || role !== 'container') {
    return undefined;
  }
  const said = await readInside(engine, id, INSIDE.snapshot);
  return parse(snapshotSchema, JSON.parse(said ?? 'null'), 'snapshot of the container') ?? undefined;
}

/** The stopped container that is kept for its snapshot, if there is one. @param name of the container that owns the volumes */
export async function findAside(engine: Engine, name: string): Promise<Present | undefined> {
  return engine.kind === 'podman' ? inspect(engine, `${name}${ASIDE}`) : undefined;
}

/** Keeps a stopped container for its snapshot if it has one, else removes it: another one can have its name then. */
export async function makeWay(engine: Engine, present: Present, name: string): Promise<void> {
  if ((await snapshotOf(engine, present)) === undefined) {
    await remove(engine, present.id);
    return;
  }
  const older = await findAside(engine, name);
  if (older !== undefined) {
    await remove(engine, older.id);
  }
  await engine.quick.getContainer(present.id).rename({ name: `${name}${ASIDE}` });
}

/** Removes what could be restored. @param present what owns the volumes now */
export async function forgetSnapshots(
  engine: Engine,
  name: string,
  present: Present | undefined,
): Promise<void> {
  for (const stopped of [await findAside(engine, name), present]) {
    if (stopped?.state === 'stopped') {
      await remove(engine, stopped.id);
    }
  }
}

/** Of all that a container is made from, so that a snapshot of another one is not taken for it. */
export function makeOf(spec: Omit<ContainerSpec, 'labels'>, codeHash: string, engine: string): string {
  return createHash('sha256')
    .update(JSON.stringify([spec, codeHash, engine]))
    .digest('hex')
    .slice(0, 16);
}

/** Why there is no snapshot, with what usually is missing. */
export function snapshotError(engine: Engine, error: unknown): Error {
  const what = `${engine.title} could not make a snapshot of the container: ${messageOf(error)}.`;
  const needs = 'It needs to run as root, with CRIU 4 on its machine: criu --version';
  return new Error(`${what} ${needs}`, { cause: error });
}
