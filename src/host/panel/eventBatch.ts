import type { RunEvent } from '../../protocol/events';

const BATCH_MS = 33;

/** Gathers events for a moment, so that a burst of them is one message to the panel. */
export class EventBatch {
  private events: RunEvent[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly post: (events: RunEvent[]) => void) {}

  add(events: readonly RunEvent[]): void {
    this.events.push(...events);
    this.timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  /** Posts what is waiting at once. */
  flush(): void {
    const { events } = this;
    this.clear();
    if (events.length > 0) {
      this.post(events);
    }
  }

  /** Forgets what is waiting: a snapshot has it. */
  clear(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.events = [];
  }
}
