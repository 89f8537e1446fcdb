import * as v from 'valibot';
import { parameterValuesSchema } from '../protocol/parameters';
import type { RunRecord } from '../protocol/run';
import { RUN_RECORD_VERSION, checkpointSchema, runRecordSchema, startKindSchema } from '../protocol/run';

const { entries } = runRecordSchema;
const text = v.fallback(v.string(), '');

/** What this version understands of a later version's run.json; the rest is left out or empty. */
const newerRecordSchema = v.object({
  schemaVersion: v.pipe(v.number(), v.minValue(RUN_RECORD_VERSION + 1)),
  recipe: text,
  params: v.fallback(parameterValuesSchema, {}),
  engine: text,
  device: text,
  target: text,
  containerId: text,
  start: v.fallback(startKindSchema, 'cold'),
  state: v.fallback(entries.state, 'stopped'),
  createdAt: v.fallback(v.pipe(v.string(), v.isoTimestamp()), ''),
  endedAt: v.fallback(entries.endedAt, undefined),
  timeToFirstStepMs: v.fallback(entries.timeToFirstStepMs, undefined),
  best: v.fallback(entries.best, undefined),
  checkpoints: v.fallback(v.array(checkpointSchema), []),
  result: v.fallback(entries.result, undefined),
  pinned: v.fallback(v.boolean(), false),
  sweep: v.fallback(entries.sweep, undefined),
});

/**
 * Reads the run.json of a newer version as far as it goes.
 * @returns undefined if no newer version wrote it
 */
export function readNewerRecord(runId: string, value: unknown): RunRecord | undefined {
  const result = v.safeParse(newerRecordSchema, value);
  if (!result.success) {
    return undefined;
  }
  const { output } = result;
  const createdAt = output.createdAt === '' ? dateOf(runId) : output.createdAt;
  return { ...output, createdAt, schemaVersion: RUN_RECORD_VERSION, runId, newer: true };
}

/** From the id's time, taken as UTC. */
function dateOf(runId: string): string {
  return runId.replace(/^(\d{4})(\d{2})(\d{2})-(\d{2})(\d{2})(\d{2}).*$/, '$1-$2-$3T$4:$5:$6.000Z');
}
