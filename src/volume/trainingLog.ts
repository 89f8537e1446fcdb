import { appendFileSync } from 'node:fs';
import type { RunEvent } from '../protocol/events';
import { heldMemoryText } from '../protocol/heldMemory';

/** `training.log`: the run's log lines as plain text, with UTC times, for people and other tools. */
export class TrainingLog {
  constructor(private readonly path: string) {}

  append(event: RunEvent): void {
    const text = describe(event);
    if (text !== undefined) {
      appendFileSync(this.path, `${new Date(event.time).toISOString()} ${text}\n`);
    }
  }
}

function describe(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'log':
      return `${event.level.toUpperCase().padEnd(7)} ${event.text}`;
    case 'held_memory':
      return `WARNING ${heldMemoryText(event)} of this container`;
    case 'restart_needed':
      return `WARNING ${event.reason}`;
    case 'result':
      return `INFO    ${event.status}${event.error === undefined ? '' : `: ${event.error.message}`}`;
    case 'run':
    case 'engine':
    case 'state':
    case 'resumed':
    case 'phase':
    case 'dataset':
    case 'first_step':
    case 'step':
    case 'epoch':
    case 'metrics':
    case 'sample':
    case 'checkpoint':
    case 'device':
    case 'files':
      return undefined;
  }
}
