import type { RunRecord } from '../../../src/protocol/run';

/** A record of a run that has ended. */
export function recordOf(runId: string, changes: Partial<RunRecord> = {}): RunRecord {
  return {
    schemaVersion: 1,
    runId,
    recipe: 'classifier',
    params: {},
    engine: 'wasm',
    device: 'CPU',
    target: 'local',
    containerId: 'c',
    start: 'cold',
    state: 'completed',
    createdAt: '2026-01-02T03:04:05.000Z',
    checkpoints: [],
    pinned: false,
    ...changes,
  };
}
