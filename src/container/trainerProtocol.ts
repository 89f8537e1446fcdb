import * as v from 'valibot';
import { deviceFactsSchema, embeddedEngineSchema } from '../protocol/container';
import { logLevelSchema, phaseSchema, runEventBodySchema } from '../protocol/events';
import { jsonSchema } from '../protocol/json';
import { parameterValuesSchema } from '../protocol/parameters';
import { programSchema } from '../protocol/program';
import { locationSchema, runErrorSchema } from '../protocol/run';

/** What the enter hook needs to know; given once, when the trainer starts. */
export const enterOptionsSchema = v.object({
  type: v.literal('enter'),
  program: programSchema,
  engine: embeddedEngineSchema,
  wasmDir: v.string(),
  enginesDir: v.string(),
  dataDir: v.string(),
  hint: v.object({ recipe: v.string(), params: parameterValuesSchema }),
  /** Milliseconds since the epoch; phases are counted from there. */
  spawnedAt: v.number(),
});
export type EnterOptions = v.InferOutput<typeof enterOptionsSchema>;

export const runOrderSchema = v.object({
  type: v.literal('run'),
  runId: v.string(),
  recipe: v.string(),
  /** Of the user's own code: which function or method of the file, and how its log is read. */
  program: programSchema,
  /** Checked against the recipe. */
  params: parameterValuesSchema,
  /** The run's folder in the outputs volume. */
  runDir: v.string(),
  outputsDir: v.string(),
  dataDir: v.string(),
  /** When the user asked for it, milliseconds since the epoch; phases are counted from there. */
  askedAt: v.number(),
  /** From 1; it grows with every retry. */
  attempt: v.number(),
  /** Folder of the run whose last checkpoint to go on from: its own in a retry; null to begin anew. */
  resumeDir: v.nullable(v.string()),
});
export type RunOrder = v.InferOutput<typeof runOrderSchema>;

/** Supervisor to trainer. */
export const toTrainerSchema = v.variant('type', [
  enterOptionsSchema,
  runOrderSchema,
  /** A run waits for the enter hook, which had better leave to the run what that would do itself. Recipes only. */
  v.object({ type: v.literal('awaited') }),
  /** Finish the running step, save a checkpoint, end. */
  v.object({ type: v.literal('stop') }),
]);
export type ToTrainer = v.InferOutput<typeof toTrainerSchema>;

const endedSchema = v.object({
  type: v.literal('ended'),
  runId: v.string(),
  status: v.picklist(['completed', 'failed', 'stopped']),
  output: v.nullable(v.string()),
  val_acc: v.nullable(v.number()),
  /** What the user's own code returned; at most 64 KiB of JSON. */
  returned: v.optional(jsonSchema),
  error: v.optional(runErrorSchema),
});
export type Ended = v.InferOutput<typeof endedSchema>;

/** Trainer to supervisor. */
export const fromTrainerSchema = v.variant('type', [
  v.object({ type: v.literal('phase'), phase: phaseSchema }),
  v.object({
    type: v.literal('log'),
    level: logLevelSchema,
    text: v.string(),
    location: v.optional(locationSchema),
  }),
  /** The enter hook is done. */
  v.object({
    type: v.literal('ready'),
    engine: v.string(),
    device: v.string(),
    deviceFacts: v.optional(deviceFactsSchema),
  }),
  v.object({
    type: v.literal('enterFailed'),
    message: v.string(),
    /** Where in the user's code. */
    location: v.optional(locationSchema),
  }),
  v.object({ type: v.literal('event'), runId: v.string(), event: runEventBodySchema }),
  /** The first training step is done: the supervisor stamps it. */
  v.object({ type: v.literal('firstStep'), runId: v.string() }),
  endedSchema,
]);
export type FromTrainer = v.InferOutput<typeof fromTrainerSchema>;
