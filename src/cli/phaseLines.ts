import type { Phase } from '../protocol/events';
import { durationText } from './format';
import { pad, plain } from './text';

const NAME_COLUMNS = 32;

/**
 * The phases of a start-up, one line each, parts below what they are a part of. A phase is told of when it ends,
 * and so after its parts: they wait here.
 */
export class PhaseLines {
  private waiting: Phase[] = [];

  /** @returns the lines that can be shown now that this phase has ended */
  take(phase: Phase): string[] {
    if (phase.within !== undefined) {
      this.waiting.push(phase);
      return [];
    }
    const parts = this.waiting.sort((a, b) => a.startMs - b.startMs || b.durationMs - a.durationMs);
    this.waiting = [];
    const parents = new Map(parts.map((part) => [part.name, part.within]));
    return [phase, ...parts].map((part) => phaseLine(part, depth(part, parents)));
  }
}

/** Lines of phases that have all ended. */
export function phaseLines(phases: readonly Phase[]): string[] {
  const lines = new PhaseLines();
  return phases.flatMap((phase) => lines.take(phase));
}

function phaseLine({ name, durationMs }: Phase, level: number): string {
  const left = pad(`${'  '.repeat(level + 1)}${plain(name)}`, NAME_COLUMNS, 'left');
  return `${left} ${pad(durationText(durationMs), 8, 'right')}`;
}

function depth(phase: Phase, parents: ReadonlyMap<string, string | undefined>): number {
  let level = 0;
  let parent = phase.within;
  // A phase cannot be deeper than there are phases, whatever the names say.
  while (parent !== undefined && level <= parents.size) {
    level += 1;
    parent = parents.get(parent);
  }
  return level;
}
