import * as v from 'valibot';
import { count } from './schema';

export const tensorRowSchema = v.object({
  name: v.string(),
  dtype: v.string(),
  /** Empty for a scalar. */
  shape: v.array(count),
  bytes: count,
});
export type TensorRow = v.InferOutput<typeof tensorRowSchema>;

/** What the inspector shows of a checkpoint, whatever its format. */
export const checkpointSummarySchema = v.object({
  /** Name of the format as a person calls it: "safetensors". */
  format: v.string(),
  path: v.string(),
  fileBytes: count,
  /** Pairs and not an object: keys of any name, in the order of the file. */
  metadata: v.array(v.tuple([v.string(), v.string()])),
  /** In the order of the file. */
  tensors: v.array(tensorRowSchema),
  /** Number of elements of all tensors together. */
  parameterCount: count,
  /** Remarks for the reader, in words. */
  notes: v.array(v.string()),
});
export type CheckpointSummary = v.InferOutput<typeof checkpointSummarySchema>;

/** Host to inspector: the answer to `ready` and `reload`, and again whenever the file changes. */
export const hostToInspectorSchema = v.variant('type', [
  v.object({ type: v.literal('summary'), summary: checkpointSummarySchema }),
  /** The file cannot be shown; `message` says why and what to do. */
  v.object({ type: v.literal('error'), path: v.string(), message: v.string() }),
]);
export type HostToInspector = v.InferOutput<typeof hostToInspectorSchema>;

/** Inspector to host. */
export const inspectorToHostSchema = v.variant('type', [
  v.object({ type: v.literal('ready') }),
  v.object({ type: v.literal('reload') }),
  /** Puts `text` on the clipboard. */
  v.object({ type: v.literal('copy'), text: v.string() }),
]);
export type InspectorToHost = v.InferOutput<typeof inspectorToHostSchema>;

export const sortColumnSchema = v.picklist(['name', 'dtype', 'shape', 'bytes']);
export type SortColumn = v.InferOutput<typeof sortColumnSchema>;

/** What the inspector keeps while it is hidden. `sort` is null in the order of the file. */
export const inspectorStateSchema = v.object({
  filter: v.string(),
  sort: v.nullable(v.object({ column: sortColumnSchema, descending: v.boolean() })),
  scrollTop: v.number(),
});
export type InspectorState = v.InferOutput<typeof inspectorStateSchema>;
