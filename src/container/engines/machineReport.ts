import * as v from 'valibot';

const engineReportSchema = v.object({
  name: v.string(),
  usable: v.boolean(),
  /** What it would compute on; null where it cannot be used. */
  device: v.nullable(v.string()),
  /** Versions of what is installed of it, by package. */
  versions: v.record(v.string(), v.string()),
  /** Why it cannot be used; null where it can. */
  problem: v.nullable(v.string()),
  /** How to get it; null where it is built in. */
  howToGet: v.nullable(v.string()),
});
/** What an engine comes to on this machine. */
export type EngineReport = v.InferOutput<typeof engineReportSchema>;

export const machineReportSchema = v.object({
  node: v.string(),
  platform: v.string(),
  processor: v.string(),
  /** Physical ones, where that can be found out. */
  cores: v.number(),
  /** Threads that this process may run at once. */
  threads: v.number(),
  /** Threads that training takes by itself. */
  workers: v.number(),
  memoryBytes: v.number(),
  freeMemoryBytes: v.number(),
  wasmSimd: v.boolean(),
  /** With fused multiply-add, which makes training faster. */
  wasmRelaxedSimd: v.boolean(),
  /** Null without an NVIDIA GPU or without its driver. */
  nvidiaDriver: v.nullable(v.string()),
  /** As nvidia-smi names them. */
  nvidiaGpus: v.array(v.string()),
  /** In the order in which `auto` prefers them. */
  engines: v.array(engineReportSchema),
});
/** What training has to do with on this machine. */
export type MachineReport = v.InferOutput<typeof machineReportSchema>;
