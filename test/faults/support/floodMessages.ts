import * as v from 'valibot';

/** What a flood of events has cost. */
export const floodReportSchema = v.object({
  runId: v.string(),
  events: v.number(),
  cpuMs: v.number(),
  /** Before the first event, with every buffer empty. */
  rssBeforeBytes: v.number(),
  rssMostBytes: v.number(),
  /** Kept after half of the events, with every buffer full, and after all of them. */
  heldHalfBytes: v.number(),
  heldEndBytes: v.number(),
});
export type FloodReport = v.InferOutput<typeof floodReportSchema>;

export const tellReportSchema = v.object({
  rssBeforeBytes: v.number(),
  rssMostBytes: v.number(),
  /** That are still connected. */
  clients: v.number(),
});
export type TellReport = v.InferOutput<typeof tellReportSchema>;

export const floodEndpointSchema = v.object({ url: v.string(), token: v.string() });
