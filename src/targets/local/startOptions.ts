import * as v from 'valibot';
import { engineChoiceSchema } from '../../protocol/container';
import { parameterValuesSchema } from '../../protocol/parameters';
import { programSchema } from '../../protocol/program';
import { containerSettingsSchema } from '../../protocol/rpc';

/** Environment variable in which a new container finds its options, as JSON. It holds no secret. */
export const START_OPTIONS_VARIABLE = 'TINY_CATS_CONTAINER';

/** `socket`: reached through a tunnel only; `host`: inside a sandbox whose ports are published by who made it. */
export const listenSchema = v.variant('on', [
  v.object({ on: v.literal('socket') }),
  v.object({ on: v.literal('host'), host: v.string() }),
]);
export type Listen = v.InferOutput<typeof listenSchema>;

/**
 * Containers that work on the volume where this process cannot look, each in a machine of its own: their ids, and when
 * that was known. What began later may be any one's.
 */
export const elsewhereSchema = v.object({ containerIds: v.array(v.string()), asOf: v.number() });
export type Elsewhere = v.InferOutput<typeof elsewhereSchema>;

/** What the enter hook prepares for. */
export const hintSchema = v.object({
  recipe: v.string(),
  params: parameterValuesSchema,
  program: v.exactOptional(programSchema),
});

export const startOptionsSchema = v.object({
  outputsDir: v.string(),
  dataDir: v.string(),
  /** Folder of the descriptor and the container's own log. */
  containerDir: v.string(),
  enginesDir: v.string(),
  target: v.string(),
  engine: engineChoiceSchema,
  port: v.number(),
  /** Where it listens if not on the port of 127.0.0.1: a socket in its own folder, or another address of a sandbox. */
  listen: v.optional(listenSchema),
  elsewhere: v.optional(elsewhereSchema),
  /** Where a frozen container finds how it is to go on; without one it cannot be frozen. */
  thawDir: v.optional(v.string()),
  settings: containerSettingsSchema,
  hint: hintSchema,
  /** When the process was asked for, milliseconds since the epoch: the enter hook's first phase begins there. */
  spawnedAt: v.number(),
});
export type StartOptions = v.InferOutput<typeof startOptionsSchema>;

/** In the file of `thawPath`: what ends a freeze. */
export const thawSchema = v.object({
  /** How the container goes on that was restored from its snapshot; null if it was never away. */
  restored: v.nullable(startOptionsSchema),
});
export type Thaw = v.InferOutput<typeof thawSchema>;

/** It appears when the freeze is to end: no snapshot finds a file of an earlier one open. */
export function thawPath(thawDir: string, freezeId: string): string {
  return `${thawDir}/thaw-${freezeId}.json`;
}

/** What a new container tells the process that started it, over the IPC channel, before it stands alone. */
export const startReportSchema = v.variant('type', [
  v.object({ type: v.literal('listening') }),
  /** Another container owns the volume already. */
  v.object({ type: v.literal('superseded') }),
  v.object({ type: v.literal('failed'), message: v.string() }),
]);
export type StartReport = v.InferOutput<typeof startReportSchema>;
