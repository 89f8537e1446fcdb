import type { Phase } from '../../src/protocol/events';
import type { ColdStart } from '../../src/protocol/panel';
import type { RunView } from '../../src/protocol/runView';

export interface WaterfallRow {
  name: string;
  scope: Phase['scope'] | 'rest';
  startMs: number;
  durationMs: number;
  /** How many phases this one is a part of. */
  depth: number;
}

export interface Waterfall {
  rows: WaterfallRow[];
  /** From the request to the first step's end if that is known, else to the end of the last phase. */
  totalMs: number;
  /** Whether the first step has ended, so that `totalMs` grows no more. */
  complete: boolean;
}

/** Time before the first step that no phase accounts for is shown as a row of its own above this share. */
const SHOWN_REST = 0.02;

/**
 * Lays out the phases of one start: in order of time, each part under its whole.
 * @param firstStepMs time to first step; null while it has not ended
 */
export function layoutStart(phases: readonly Phase[], firstStepMs: number | null): Waterfall {
  const names = new Set(phases.map((phase) => phase.name));
  const byStart = [...phases].sort((a, b) => a.startMs - b.startMs || b.durationMs - a.durationMs);
  const rows: WaterfallRow[] = [];
  const placed = new Set<Phase>();
  const add = (phase: Phase, depth: number) => {
    if (placed.has(phase)) {
      return;
    }
    placed.add(phase);
    rows.push({
      name: phase.name,
      scope: phase.scope,
      startMs: Math.max(0, phase.startMs),
      durationMs: Math.max(0, phase.durationMs),
      depth,
    });
    for (const part of byStart) {
      if (part.within === phase.name) {
        add(part, depth + 1);
      }
    }
  };
  const isWhole = (phase: Phase) => phase.within === undefined || !names.has(phase.within);
  // Those that are a part of each other have no whole to be found under; they come last.
  for (const phase of [...byStart.filter(isWhole), ...byStart]) {
    add(phase, 0);
  }

  const endMs = rows.reduce((end, row) => Math.max(end, row.startMs + row.durationMs), 0);
  const totalMs = Math.max(firstStepMs ?? 0, endMs);
  if (firstStepMs !== null && firstStepMs - endMs > totalMs * SHOWN_REST) {
    rows.push({
      name: 'first step',
      scope: 'rest',
      startMs: endMs,
      durationMs: firstStepMs - endMs,
      depth: 0,
    });
  }
  return { rows, totalMs: firstStepMs ?? endMs, complete: firstStepMs !== null };
}

/** Place of a bar on a scale of `scaleMs`, as shares of its width. */
export function barPlace(row: { startMs: number; durationMs: number }, scaleMs: number): [number, number] {
  if (scaleMs <= 0) {
    return [0, 0];
  }
  const start = Math.min(1, row.startMs / scaleMs);
  return [start, Math.min(1 - start, row.durationMs / scaleMs)];
}

/**
 * How many times sooner a warm run's first step came than that of the last cold start; null if this run
 * was cold, either is not known, or there is nothing to boast of.
 */
export function timesFaster(view: RunView, coldStart: ColdStart | null): number | null {
  if (view.start !== 'warm' || view.timeToFirstStepMs === null || coldStart?.runId === view.runId) {
    return null;
  }
  const cold = coldStart?.timeToFirstStepMs ?? null;
  if (cold === null || view.timeToFirstStepMs <= 0) {
    return null;
  }
  const times = cold / view.timeToFirstStepMs;
  return times >= 1.1 ? times : null;
}

/** "9.8×", "34×" */
export function formatTimes(times: number): string {
  return `${times < 10 ? times.toFixed(1) : Math.round(times).toLocaleString('en-US')}×`;
}
