import * as v from 'valibot';
import { containerStatusSchema } from './container';
import { runEventSchema } from './events';
import { parameterValuesSchema } from './parameters';
import { runRecordSchema } from './run';
import { count, milliseconds } from './schema';

const runId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/, 'expected a run id'));
const nothing = v.object({});

/** Retention keeps the checkpoints of the newest `keepDates` dated directories of a recipe; 0 keeps all. */
export const containerSettingsSchema = v.object({
  scaledownWindowMs: v.pipe(milliseconds, v.minValue(1000)),
  keepDates: count,
});
export type ContainerSettings = v.InferOutput<typeof containerSettingsSchema>;

/** What a client may ask of a container: JSON-RPC 2.0 requests, the first of which has to be `hello`. */
export const methods = {
  hello: {
    params: v.object({ protocol: count, client: v.string() }),
    result: v.object({ protocol: count, status: containerStatusSchema }),
  },
  status: { params: nothing, result: containerStatusSchema },
  /** Answers once the run is accepted and has its folder; the run's events tell the rest. */
  train: {
    params: v.object({
      recipe: v.string(),
      params: parameterValuesSchema,
      /** How long the client has been at it already, e.g. starting this container. */
      waitedMs: v.optional(milliseconds),
    }),
    result: v.object({ runId }),
  },
  /** Finishes the running step, saves a checkpoint, ends the run as `stopped`; `kill` does not wait for the step. */
  stop: { params: v.object({ runId, kill: v.optional(v.boolean()) }), result: nothing },
  /** From here on the client gets every event after `afterSeq`: first from the log, then live, none twice. */
  attach: { params: v.object({ runId, afterSeq: count }), result: nothing },
  detach: { params: v.object({ runId }), result: nothing },
  /** The runs of the outputs volume, newest first, at most MAX_LISTED_RUNS. */
  runs: { params: nothing, result: v.object({ runs: v.array(runRecordSchema) }) },
  /** A pinned run's checkpoints are never removed by retention. */
  pin: { params: v.object({ runId, pinned: v.boolean() }), result: runRecordSchema },
  configure: { params: containerSettingsSchema, result: nothing },
  /** Lets the container go; a run that trains is stopped as by `stop` first. */
  cool: { params: nothing, result: nothing },
} as const;
export type MethodName = keyof typeof methods;
export type MethodParams<M extends MethodName> = v.InferOutput<(typeof methods)[M]['params']>;
export type MethodResult<M extends MethodName> = v.InferOutput<(typeof methods)[M]['result']>;

/** What a container tells its clients unasked. */
export const notifications = {
  /** To clients attached to the run. */
  event: runEventSchema,
  /** To all, when anything but the progress of the run has changed. */
  status: containerStatusSchema,
  /** To all, when a run is new or its record has changed. */
  run: runRecordSchema,
} as const;
export type NotificationName = keyof typeof notifications;
export type NotificationParams<N extends NotificationName> = v.InferOutput<(typeof notifications)[N]>;

/** Error codes of our own, beside those of JSON-RPC 2.0 (-32700, -32600 to -32603). */
export const ErrorCode = {
  protocolMismatch: -32001,
  helloFirst: -32002,
  busy: -32010,
  badParameters: -32011,
  noSuchRun: -32012,
  volume: -32013,
} as const;

/** More would not fit into a message; the volume itself has them all. */
export const MAX_LISTED_RUNS = 1000;

/** Largest message either side accepts. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
