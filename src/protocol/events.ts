import * as v from 'valibot';
import { parameterValuesSchema } from './parameters';
import {
  checkpointSchema,
  locationSchema,
  runResultSchema,
  runStateSchema,
  sampleSchema,
  sourceFileSchema,
  startKindSchema,
} from './run';
import { count, milliseconds } from './schema';

/** One bar of the start-up waterfall. */
export const phaseSchema = v.object({
  /** "process start", "module import", "device initialisation", "warm-up", "data set metadata", "model", … */
  name: v.string(),
  /** `enter`: done once for the container; `run`: done for this run. */
  scope: v.picklist(['enter', 'run']),
  /** From the start of the waterfall. */
  startMs: milliseconds,
  durationMs: milliseconds,
  /** Name of the phase that this one is a part of. */
  within: v.optional(v.string()),
});
export type Phase = v.InferOutput<typeof phaseSchema>;

/** Name of the phase in which a container comes back from its snapshot. */
export const RESTORE_PHASE = 'restore';

export const logLevelSchema = v.picklist(['debug', 'info', 'warning', 'error']);
export type LogLevel = v.InferOutput<typeof logLevelSchema>;

const metric = v.pipe(v.number(), v.finite());

/** The metrics were read from a line of the log, which has told of them. */
const fromLog = v.optional(v.literal(true));

/** Memory that runs left behind and that their container still holds. */
export const heldMemorySchema = v.object({
  bytes: count,
  /** The container's run after which it began to grow, from 1. */
  sinceRun: count,
});
export type HeldMemory = v.InferOutput<typeof heldMemorySchema>;

/** What happened, without the envelope that the supervisor adds. Metrics keep the design's names. */
export const runEventBodySchema = v.variant('type', [
  /** Always the first event. */
  v.object({
    type: v.literal('run'),
    recipe: v.string(),
    /** Of the user's own code. */
    entrypoint: v.optional(v.string()),
    params: parameterValuesSchema,
    start: startKindSchema,
    containerId: v.string(),
    /** The run whose last checkpoint this one begins from. */
    resumedFrom: v.optional(v.string()),
  }),
  /** What computes the run; known once the enter hook is done. */
  v.object({ type: v.literal('engine'), engine: v.string(), device: v.string() }),
  v.object({
    type: v.literal('state'),
    state: runStateSchema,
    message: v.optional(v.string()),
    /** Of a run that is to be tried again: in how long. */
    retryInMs: v.optional(milliseconds),
  }),
  /**
   * The run goes on from a checkpoint, or from its beginning if there is none. What came after that place is lost:
   * its steps and epochs come again.
   */
  v.object({
    type: v.literal('resumed'),
    /** Epochs finished there. */
    epoch: count,
    /** Steps finished there of the epoch after those. */
    step: count,
    /** Absolute path of the checkpoint; null where the run begins anew. */
    from: v.nullable(v.string()),
  }),
  v.object({ type: v.literal('phase'), phase: phaseSchema }),
  v.object({
    type: v.literal('log'),
    level: logLevelSchema,
    text: v.string(),
    /** What in the user's code it is about. */
    location: v.optional(locationSchema),
  }),
  v.object({
    type: v.literal('dataset'),
    dir: v.string(),
    classes: v.array(v.object({ name: v.string(), images: count })),
    train: count,
    val: count,
    /** Files that are not images, the first of them. */
    skipped: v.array(v.object({ path: v.string(), reason: v.string() })),
    /** How many more there are. */
    more_skipped: v.optional(count),
  }),
  v.object({ type: v.literal('first_step'), time_to_first_step_ms: milliseconds }),
  /**
   * Progress, a few times a second; not every step has one. Epochs and steps count from 1; of the user's own code
   * 0 says that a count is not known, and a metric that is not known is left out.
   */
  v.object({
    type: v.literal('step'),
    /** What the steps are counted over: the epoch, unless a recipe is trained for a number of steps. */
    span: v.optional(v.picklist(['epoch', 'run'])),
    epoch: count,
    epochs: count,
    step: count,
    steps: count,
    loss: v.optional(metric),
    lr: v.optional(metric),
    images_per_second: v.optional(metric),
  }),
  /** An epoch is done. Our own recipes know every metric; the user's code tells those that it has. */
  v.object({
    type: v.literal('epoch'),
    epoch: count,
    /** 0: not known. */
    epochs: count,
    train_loss: v.optional(metric),
    train_acc: v.optional(metric),
    val_loss: v.optional(metric),
    val_acc: v.optional(metric),
    lr: v.optional(metric),
    images_per_second: v.optional(metric),
    time_s: v.optional(metric),
    fromLog,
  }),
  /**
   * Averages since the last such event, of a recipe that is trained for a number of steps, or whatever the user's own
   * code tells of, by names of its own.
   */
  v.object({
    type: v.literal('metrics'),
    /** The epoch that they are of, where the code counts epochs. */
    epoch: v.optional(count),
    /** Steps that are done. */
    step: count,
    /** 0: not known. */
    steps: count,
    /** By name, such as `train_loss`, `lr`, `gradient_norm`. */
    values: v.record(v.string(), metric),
    fromLog,
  }),
  /** A grid of generated images was saved. */
  v.object({ type: v.literal('sample'), ...sampleSchema.entries }),
  v.object({ type: v.literal('checkpoint'), ...checkpointSchema.entries }),
  /** How busy the GPU is, once a second while training. */
  v.object({
    type: v.literal('device'),
    /** 0 to 1. */
    utilisation: v.optional(metric),
    memoryUsedBytes: v.optional(count),
    memoryTotalBytes: v.optional(count),
  }),
  /** The user's own files that the run executes. */
  v.object({ type: v.literal('files'), files: v.array(sourceFileSchema) }),
  /** Memory grows from run to run. */
  v.object({ type: v.literal('held_memory'), ...heldMemorySchema.entries }),
  /** The source of the user's enter hook has changed: what the container holds was made by the old one. */
  v.object({ type: v.literal('restart_needed'), reason: v.string() }),
  /** Always the last event. */
  v.object({ type: v.literal('result'), ...runResultSchema.entries }),
]);
export type RunEventBody = v.InferOutput<typeof runEventBodySchema>;

/** The envelope: `seq` grows by one within a run, from 1; `time` is milliseconds since the epoch. */
const envelopeSchema = v.object({
  runId: v.string(),
  seq: v.pipe(v.number(), v.integer(), v.minValue(1)),
  time: milliseconds,
});
export const runEventSchema = v.intersect([envelopeSchema, runEventBodySchema]);
export type RunEvent = v.InferOutput<typeof envelopeSchema> & RunEventBody;
