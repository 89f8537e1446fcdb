import * as v from 'valibot';
import { isModule, type WasmModule } from '../engines/wasm/kernelModule';
import { isSharedMemory } from './sharedMemory';

const floatsSchema = v.custom<Float32Array>((value) => value instanceof Float32Array);
const tensorSchema = v.object({
  name: v.string(),
  shape: v.pipe(v.array(v.number()), v.readonly()),
  data: floatsSchema,
});

const weightsSchema = v.picklist(['current', 'average']);

/** A batch in shared memory: `offset` in bytes. */
const batchSchema = v.object({
  examples: v.number(),
  arrays: v.array(
    v.object({
      name: v.string(),
      kind: v.picklist(['float32', 'int32']),
      offset: v.number(),
      shape: v.array(v.number()),
    }),
  ),
});
export type SharedBatch = v.InferOutput<typeof batchSchema>;

const settingsSchema = v.object({
  beta1: v.number(),
  beta2: v.number(),
  epsilon: v.number(),
  averageDecay: v.nullable(v.number()),
});
export type AdamConstants = v.InferOutput<typeof settingsSchema>;

/** What a worker is told about a learner. */
const orderSchema = v.variant('type', [
  /** Build the model. Reply: its trainable parameters. */
  v.object({ type: v.literal('build'), task: v.string(), spec: v.unknown() }),
  /** Join the others on shared memory that was made for the model. */
  v.object({
    type: v.literal('attach'),
    memory: v.custom<object>(isSharedMemory),
    workers: v.number(),
    parameters: v.number(),
    settings: settingsSchema,
  }),
  v.object({ type: v.literal('initialise'), seed: v.number() }),
  /** One optimiser step, the `step`th from 1. Reply: the parts' scores. */
  v.object({
    type: v.literal('step'),
    step: v.number(),
    buffer: v.instance(SharedArrayBuffer),
    batches: v.array(batchSchema),
    learningRate: v.number(),
    gradientClip: v.number(),
    weightDecay: v.number(),
  }),
  v.object({
    type: v.picklist(['evaluate', 'predict']),
    buffer: v.instance(SharedArrayBuffer),
    batch: batchSchema,
    weights: weightsSchema,
  }),
  /** Reply: parameters, buffers and counters, or the latter two. */
  v.object({ type: v.literal('export'), weights: weightsSchema, part: v.picklist(['all', 'buffers']) }),
  v.object({ type: v.literal('load'), tensors: v.array(tensorSchema) }),
  v.object({ type: v.literal('dispose') }),
]);
export type Order = v.InferOutput<typeof orderSchema>;

export const toWorkerSchema = v.object({ id: v.number(), learner: v.number(), order: orderSchema });
export type ToWorker = v.InferOutput<typeof toWorkerSchema>;

const scoreSchema = v.object({ loss: v.number(), sums: v.record(v.string(), v.number()) });

const resultSchema = v.variant('type', [
  v.object({ type: v.literal('done') }),
  v.object({
    type: v.literal('built'),
    parameters: v.array(v.object({ name: v.string(), shape: v.array(v.number()) })),
  }),
  /** `scores` of the worker's part of each batch, empty for a batch that it had no part of. */
  v.object({
    type: v.literal('stepped'),
    gradientNorm: v.number(),
    scores: v.array(v.object({ examples: v.number(), score: scoreSchema })),
  }),
  v.object({ type: v.literal('evaluated'), examples: v.number(), score: v.nullable(scoreSchema) }),
  v.object({ type: v.literal('predicted'), arrays: v.array(tensorSchema) }),
  v.object({ type: v.literal('exported'), tensors: v.array(tensorSchema) }),
  /** `aborted`: only because another worker failed. */
  v.object({ type: v.literal('failed'), message: v.string(), aborted: v.boolean() }),
]);
export type Result = v.InferOutput<typeof resultSchema>;
export type ResultOf<T extends Result['type']> = Extract<Result, { type: T }>;

export const fromWorkerSchema = v.variant('type', [
  /** The engine is loaded. */
  v.object({ type: v.literal('ready') }),
  v.object({ type: v.literal('reply'), id: v.number(), result: resultSchema }),
]);
export type FromWorker = v.InferOutput<typeof fromWorkerSchema>;

/** Given to a worker when it starts. */
export const workerDataSchema = v.object({
  wasmDir: v.string(),
  index: v.number(),
  kernels: v.object({ module: v.custom<WasmModule>(isModule), relaxed: v.boolean() }),
});
export type WorkerData = v.InferOutput<typeof workerDataSchema>;
