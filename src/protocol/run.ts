import * as v from 'valibot';
import { jsonSchema } from './json';
import { parameterValuesSchema } from './parameters';
import { count, milliseconds } from './schema';

export const RUN_RECORD_VERSION = 1;

/**
 * `queued`: accepted, the container still warms or has other runs before it; `preparing`: data and model are made
 * ready; `retrying`: its trainer died, and it goes on after a delay.
 */
export const runStateSchema = v.picklist([
  'queued',
  'preparing',
  'training',
  'retrying',
  'stopping',
  'completed',
  'failed',
  'stopped',
]);
export type RunState = v.InferOutput<typeof runStateSchema>;

const FINAL_STATES: ReadonlySet<RunState> = new Set(['completed', 'failed', 'stopped']);

/** Whether a run in this state never changes again. */
export function isFinal(state: RunState): boolean {
  return FINAL_STATES.has(state);
}

/** Whether the container had finished its enter hook when the run was asked for. */
export const startKindSchema = v.picklist(['warm', 'cold']);
export type StartKind = v.InferOutput<typeof startKindSchema>;

/** A line of a source file. */
export const locationSchema = v.object({
  /** Absolute path on the container's side. */
  file: v.string(),
  /** From 1. */
  line: v.pipe(v.number(), v.integer(), v.minValue(1)),
});
export type Location = v.InferOutput<typeof locationSchema>;

export const runErrorSchema = v.object({
  /**
   * `data`, `parameters`, `weights`, `volume`, `diverged`, `enter_failed`, `trainer_died`, `container_died`,
   * `timeout`, `stalled`, `user_code` (an exception in the user's own code), `internal`
   */
  code: v.string(),
  message: v.string(),
  /** Where in the user's code. */
  location: v.optional(locationSchema),
});
export type RunError = v.InferOutput<typeof runErrorSchema>;

export const checkpointSchema = v.object({
  /** `file`: a file that the user's own code wrote. */
  kind: v.picklist(['best', 'last', 'file']),
  /** Path inside the run's folder, with slashes; of a kind other than `file` a file name. */
  file: v.string(),
  bytes: count,
  /** 0: not known. */
  epoch: count,
  /** Steps that were done, where the recipe is trained for a number of steps. */
  step: v.optional(count),
  val_acc: v.nullable(v.number()),
});
export type Checkpoint = v.InferOutput<typeof checkpointSchema>;

/** The checkpoint that an event tells of, without what else the event has. */
export function checkpointOf({ kind, file, bytes, epoch, step, val_acc }: Checkpoint): Checkpoint {
  return { kind, file, bytes, epoch, ...(step === undefined ? {} : { step }), val_acc };
}

export const sampleSchema = v.object({
  /** Steps that were done. */
  step: count,
  /** PNG inside the run's folder: `samples/step-000500.png`. */
  file: v.string(),
  /** Classes of the images, row by row. */
  labels: v.array(v.string()),
  /** Images in a row. */
  columns: count,
});
export type Sample = v.InferOutput<typeof sampleSchema>;

/** One of the user's own files as a run executed it. */
export const sourceFileSchema = v.object({
  /** Relative to the workspace folder, with slashes, where it is inside; else absolute. */
  path: v.string(),
  sha256: v.string(),
});
export type SourceFile = v.InferOutput<typeof sourceFileSchema>;

export const runResultSchema = v.object({
  status: v.picklist(['completed', 'failed', 'stopped']),
  /** Absolute path of the best checkpoint on the container's side; null if none was saved. */
  output: v.nullable(v.string()),
  /** Best validation accuracy, 0 to 1; null if no epoch was finished. */
  val_acc: v.nullable(v.number()),
  start: startKindSchema,
  /** From the user's request to the end of the first training step; null if none was finished. */
  time_to_first_step_ms: v.nullable(milliseconds),
  /** What the user's own code returned. */
  returned: v.optional(jsonSchema),
  error: v.optional(runErrorSchema),
});
export type RunResult = v.InferOutput<typeof runResultSchema>;

/** Which run of a sweep a run is. A second attempt goes on with what the first one's container died of. */
export const sweepPlaceSchema = v.object({
  sweepId: v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/, 'expected the id of a sweep')),
  /** Index into the sweep's trials. */
  trial: count,
  /** From 1. */
  attempt: count,
});
export type SweepPlace = v.InferOutput<typeof sweepPlaceSchema>;

/** A run as `run.json` keeps it. Times are ISO 8601 in UTC. */
export const runRecordSchema = v.object({
  schemaVersion: v.literal(RUN_RECORD_VERSION),
  runId: v.string(),
  /** Of the user's own code the short name of its entrypoint. */
  recipe: v.string(),
  /** The user's own code that it trains, as in `Program`. */
  entrypoint: v.optional(v.string()),
  params: parameterValuesSchema,
  engine: v.string(),
  device: v.string(),
  target: v.string(),
  containerId: v.string(),
  start: startKindSchema,
  state: runStateSchema,
  createdAt: v.string(),
  endedAt: v.optional(v.string()),
  timeToFirstStepMs: v.optional(milliseconds),
  best: v.optional(v.object({ epoch: count, val_acc: v.number() })),
  checkpoints: v.array(checkpointSchema),
  result: v.optional(runResultSchema),
  /** The user's own files that it executed. */
  files: v.optional(v.array(sourceFileSchema)),
  pinned: v.boolean(),
  /** The run whose last checkpoint this one began from. */
  resumedFrom: v.optional(v.string()),
  /** How long the container worked on it, its retries included. */
  trainingMs: v.optional(milliseconds),
  /** What that cost, in US dollars, where the target has a price. */
  cost: v.optional(v.number()),
  /** The sweep that it is a part of. */
  sweep: v.optional(sweepPlaceSchema),
  /**
   * A newer version of the program wrote it: it tells as much as this version understands, and its run.json is
   * never written. Not part of the file.
   */
  newer: v.optional(v.literal(true)),
});
export type RunRecord = v.InferOutput<typeof runRecordSchema>;

/** Whether there is something left to do for a run, and a checkpoint to go on from. */
export function isResumable({ state, checkpoints, newer }: RunRecord): boolean {
  const isUnfinished = state === 'failed' || state === 'stopped';
  return isUnfinished && newer !== true && checkpoints.some(({ kind }) => kind === 'last');
}
