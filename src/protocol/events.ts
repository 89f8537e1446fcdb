import * as v from 'valibot';
import { parameterValuesSchema } from './parameters';
import { checkpointSchema, runResultSchema, sampleSchema, runStateSchema, startKindSchema } from './run';
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

export const logLevelSchema = v.picklist(['debug', 'info', 'warning', 'error']);
export type LogLevel = v.InferOutput<typeof logLevelSchema>;

const metric = v.pipe(v.number(), v.finite());

/** What happened, without the envelope that the supervisor adds. Metrics keep the design's names. */
export const runEventBodySchema = v.variant('type', [
  /** Always the first event. */
  v.object({
    type: v.literal('run'),
    recipe: v.string(),
    params: parameterValuesSchema,
    start: startKindSchema,
    containerId: v.string(),
    /** The run whose last checkpoint this one begins from. */
    resumedFrom: v.optional(v.string()),
  }),
  /** What computes the run; known once the enter hook is done. */
  v.object({ type: v.literal('engine'), engine: v.string(), device: v.string() }),
  v.object({ type: v.literal('state'), state: runStateSchema, message: v.optional(v.string()) }),
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
  v.object({ type: v.literal('log'), level: logLevelSchema, text: v.string() }),
  v.object({
    type: v.literal('dataset'),
    dir: v.string(),
    classes: v.array(v.object({ name: v.string(), images: count })),
    train: count,
    val: count,
    skipped: v.array(v.object({ path: v.string(), reason: v.string() })),
  }),
  v.object({ type: v.literal('first_step'), time_to_first_step_ms: milliseconds }),
  /** Progress, a few times a second; not every step has one. Epochs and steps count from 1. */
  v.object({
    type: v.literal('step'),
    /** What the steps are counted over: the epoch, unless a recipe is trained for a number of steps. */
    span: v.optional(v.picklist(['epoch', 'run'])),
    epoch: count,
    epochs: count,
    step: count,
    steps: count,
    loss: metric,
    lr: metric,
    images_per_second: metric,
  }),
  v.object({
    type: v.literal('epoch'),
    epoch: count,
    epochs: count,
    train_loss: metric,
    train_acc: metric,
    val_loss: metric,
    val_acc: metric,
    lr: metric,
    images_per_second: metric,
    time_s: metric,
  }),
  /** Averages since the last such event, of a recipe that is trained for a number of steps. */
  v.object({
    type: v.literal('metrics'),
    /** Steps that are done. */
    step: count,
    steps: count,
    /** By name, such as `train_loss`, `lr`, `gradient_norm`. */
    values: v.record(v.string(), metric),
  }),
  /** A grid of generated images was saved. */
  v.object({ type: v.literal('sample'), ...sampleSchema.entries }),
  v.object({ type: v.literal('checkpoint'), ...checkpointSchema.entries }),
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
