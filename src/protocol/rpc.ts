import * as v from 'valibot';
import { containerStatusSchema } from './container';
import { phaseSchema, runEventSchema } from './events';
import { parameterValuesSchema } from './parameters';
import { programSchema } from './program';
import { runRecordSchema, sweepPlaceSchema } from './run';
import { count, milliseconds } from './schema';
import { sentSchema } from './transfer';

const runId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/, 'expected a run id'));
/** Becomes a file's name. */
const freezeId = v.pipe(v.string(), v.uuid());
const nothing = v.object({});
const MAX_DELAY_MS = 3_600_000;
/** A client that has been at it for longer has not. */
const MAX_WAITED_MS = 86_400_000;
const MAX_CLIENT_PHASES = 64;

/** What happens to a run whose trainer died: tried again `maxRetries` times, after a delay that grows. */
const retriesSchema = v.object({
  maxRetries: v.exactOptional(v.pipe(count, v.maxValue(1000))),
  backoffCoefficient: v.exactOptional(v.pipe(v.number(), v.minValue(1), v.maxValue(10))),
  initialDelayMs: v.exactOptional(v.pipe(milliseconds, v.minValue(0), v.maxValue(MAX_DELAY_MS))),
  maxDelayMs: v.exactOptional(v.pipe(milliseconds, v.minValue(0), v.maxValue(MAX_DELAY_MS))),
});
export type Retries = Required<v.InferOutput<typeof retriesSchema>>;

/** What a client wants of a container. What it leaves out stays as it is. */
export const containerSettingsSchema = v.object({
  scaledownWindowMs: v.exactOptional(v.pipe(milliseconds, v.minValue(1000))),
  /** Retention keeps the checkpoints of the newest `keepDates` dated directories of a recipe; 0 keeps all. */
  keepDates: v.exactOptional(count),
  retries: v.exactOptional(retriesSchema),
  /** How long a run may take, its retries included; 0: as long as it takes. */
  runTimeoutMs: v.exactOptional(v.pipe(milliseconds, v.minValue(0))),
  /** A run without progress for that long is reported; 0: never. */
  stallTimeoutMs: v.exactOptional(v.pipe(milliseconds, v.minValue(0))),
  /** Whether a run that stalls is stopped as well. */
  stopStalled: v.exactOptional(v.boolean()),
  /** What an hour of the container costs, in US dollars; 0: nothing, or nobody knows. */
  pricePerHour: v.exactOptional(v.pipe(v.number(), v.finite(), v.minValue(0))),
  /** How long it may be left warm without a run before it asks whether to be kept; 0: for the scaledown window. */
  maxWarmMs: v.exactOptional(v.pipe(milliseconds, v.minValue(0))),
  /** How long it waits for the answer before it is let go. */
  warmGraceMs: v.exactOptional(v.pipe(milliseconds, v.minValue(0))),
});
export type ContainerSettings = v.InferOutput<typeof containerSettingsSchema>;

/** What holds in a container. */
export interface ContainerPolicy extends Required<Omit<ContainerSettings, 'retries'>> {
  retries: Retries;
}

/** What holds in a container where no client has said otherwise. */
export const DEFAULT_POLICY = {
  scaledownWindowMs: 300_000,
  keepDates: 5,
  retries: { maxRetries: 3, backoffCoefficient: 2, initialDelayMs: 10_000, maxDelayMs: 60_000 },
  runTimeoutMs: 3_600_000,
  stallTimeoutMs: 600_000,
  stopStalled: false,
  pricePerHour: 0,
  maxWarmMs: 0,
  warmGraceMs: 300_000,
} as const satisfies ContainerPolicy;

/** The policy once a client has said what it wants. */
export function withSettings(policy: ContainerPolicy, settings: ContainerSettings): ContainerPolicy {
  return { ...policy, ...settings, retries: { ...policy.retries, ...settings.retries } };
}

/** What becomes of a `train` while another run has the container. */
export const whenBusySchema = v.picklist(['refuse', 'queue']);
export type WhenBusy = v.InferOutput<typeof whenBusySchema>;

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
      /** Of the user's own code the short name of its entrypoint, `recipeOf`. */
      recipe: v.string(),
      params: parameterValuesSchema,
      /** Our own recipes if not given. A container that was warmed for another one warms anew, which is a cold start. */
      program: v.optional(programSchema),
      /** How long the client has been at it already, e.g. starting this container. */
      waitedMs: v.optional(v.pipe(milliseconds, v.minValue(0), v.maxValue(MAX_WAITED_MS))),
      /** What the client did in that time, counted from the user's request: "code sent", "start", "connect". */
      phases: v.optional(v.pipe(v.array(phaseSchema), v.maxLength(MAX_CLIENT_PHASES))),
      /** Where on the container's machine that is which parameters name on the client's. */
      sent: v.optional(sentSchema),
      /** `refuse` if not given. */
      whenBusy: v.optional(whenBusySchema),
      /** Begins from the last checkpoint of this run of the same recipe, which has ended, with its parameters. */
      resumeRun: v.optional(runId),
      /** Asked twice for the same place of a sweep, a container trains it once. */
      sweep: v.optional(sweepPlaceSchema),
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
  /** The answer to `leftWarm`: the container is kept for its scaledown window, and does not ask again before a run. */
  keepWarm: { params: nothing, result: nothing },
  /**
   * For a snapshot of the container's processes: it drops its clients, takes none and does nothing until its target lets it
   * go on, where it is or restored. Refused unless it is warm and has no work.
   */
  freeze: { params: v.object({ freezeId }), result: nothing },
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
  /** The connection is closed after this answer. */
  tooManyMessages: -32014,
  /** The run cannot be gone on with. */
  notResumable: -32015,
  /** No snapshot of the container can be made, or not now. */
  notFreezable: -32016,
} as const;

/** More would not fit into a message; the volume itself has them all. */
export const MAX_LISTED_RUNS = 1000;

/** Deepest nesting of objects and arrays in a message. */
export const MAX_MESSAGE_DEPTH = 32;

/** Most requests in one message. */
export const MAX_BATCH = 100;

/** Largest message either side accepts. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
