import * as v from 'valibot';
import { heldMemorySchema, phaseSchema } from './events';
import { programSchema } from './program';
import { count, milliseconds } from './schema';

/** States in which a container answers. Without one, a client says `cold`. */
export const containerStateSchema = v.picklist(['warming', 'warm', 'training', 'cooling']);
export type ContainerState = v.InferOutput<typeof containerStateSchema>;

/** The engines that the program brings along or installs; `auto` takes the first that works, GPU before CPU. */
export const embeddedEngineSchema = v.picklist(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu']);
export type EmbeddedEngine = v.InferOutput<typeof embeddedEngineSchema>;

/**
 * What may compute: PyTorch (`torch`), the first that works of the embedded engines (`tfjs`) or a certain one of
 * them. `auto` takes PyTorch where it has a CUDA device, else an embedded engine.
 */
export const engineChoiceSchema = v.picklist([
  'auto',
  'torch',
  'tfjs',
  'tensorflow',
  'webgpu',
  'wasm',
  'cpu',
]);
export type EngineChoice = v.InferOutput<typeof engineChoiceSchema>;

/** What it comes to where only embedded engines can compute. */
export function embeddedEngine(choice: EngineChoice): EmbeddedEngine {
  return choice === 'torch' || choice === 'tfjs' ? 'auto' : choice;
}

/** What computes, as far as the trainer could find out. */
export const deviceFactsSchema = v.object({
  name: v.string(),
  memoryBytes: v.optional(count),
  /** Versions. */
  driver: v.optional(v.string()),
  torch: v.optional(v.string()),
  cuda: v.optional(v.string()),
  python: v.optional(v.string()),
});
export type DeviceFacts = v.InferOutput<typeof deviceFactsSchema>;

/** What a container was up for, in milliseconds. */
export const usageSchema = v.object({
  /** Since it was asked for: what is paid for. */
  upMs: milliseconds,
  /** Since its first enter hook was done. */
  warmMs: milliseconds,
  /** Of that with a run in the trainer. */
  trainingMs: milliseconds,
});
export type Usage = v.InferOutput<typeof usageSchema>;

export const containerStatusSchema = v.object({
  containerId: v.string(),
  /** Version of the program, as in package.json. */
  version: v.string(),
  state: containerStateSchema,
  pid: count,
  trainerPid: v.nullable(count),
  /** Empty until the enter hook has chosen one. */
  engine: v.string(),
  device: v.string(),
  deviceFacts: v.nullable(deviceFactsSchema),
  /** What the present trainer was started for. */
  program: programSchema,
  /** Memory that earlier runs left behind; null if it does not grow. */
  heldMemory: v.nullable(heldMemorySchema),
  /** Why what the enter hook made is out of date; null if it is not. */
  restartNeeded: v.nullable(v.string()),
  outputsDir: v.string(),
  dataDir: v.string(),
  startedAt: v.string(),
  /** The enter hook of the present trainer; grows while warming. */
  enter: v.object({
    phases: v.array(phaseSchema),
    totalMs: v.nullable(milliseconds),
    /** It has made no progress for as long as the setting allows. */
    stalled: v.optional(v.boolean()),
  }),
  run: v.nullable(
    v.object({
      runId: v.string(),
      recipe: v.string(),
      epoch: count,
      epochs: count,
      step: count,
      steps: count,
      /** It has made no progress for as long as the setting allows. */
      stalled: v.boolean(),
      /** It was told to stop. */
      stopping: v.optional(v.boolean()),
    }),
  ),
  /** Ids of the runs that wait for their turn, the next one first. */
  queue: v.array(v.string()),
  scaledownWindowMs: milliseconds,
  /** How long until the container is let go if nothing happens; null while it works. */
  idleRemainingMs: v.nullable(milliseconds),
  /** How long it has been up, and what for. */
  usage: v.optional(usageSchema),
  /** In US dollars; 0 where nobody has set a price. */
  pricePerHour: v.optional(v.number()),
  /** It has been left warm for longer than the limit: it asks whether to be kept, and is let go after that time. */
  leftWarm: v.optional(v.nullable(v.object({ letGoInMs: milliseconds }))),
  /** Number of runs this container has ended. */
  runs: count,
  rssBytes: count,
  /** Why the container cannot train and ends, in words for the user. */
  problem: v.nullable(v.string()),
});
export type ContainerStatus = v.InferOutput<typeof containerStatusSchema>;
