import type { ContainerClient } from '../../../src/client/containerClient';
import type { RunEvent } from '../../../src/protocol/events';

export type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** What one client hears of one run. */
export class Following {
  readonly events: RunEvent[] = [];
  private readonly following: { dispose(): void };
  private readonly waiters = new Set<() => void>();

  constructor(
    readonly client: ContainerClient,
    readonly runId: string,
    afterSeq = 0,
  ) {
    this.following = client.follow(runId, afterSeq, (events) => {
      this.events.push(...events);
      for (const wake of this.waiters) {
        wake();
      }
    });
  }

  /** The first event of that type that fits, once it has come. */
  async first<T extends RunEvent['type']>(
    type: T,
    fits: (event: EventOf<T>) => boolean = () => true,
  ): Promise<EventOf<T>> {
    const isMeant = (event: RunEvent): event is EventOf<T> => event.type === type;
    for (;;) {
      const found = this.events.filter(isMeant).find(fits);
      if (found !== undefined) {
        return found;
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.waiters.delete(wake);
          resolve();
        };
        this.waiters.add(wake);
      });
    }
  }

  /** How the run ended, once it has. */
  async result(): Promise<EventOf<'result'>> {
    return this.first('result');
  }

  all<T extends RunEvent['type']>(type: T): EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type);
  }

  get seqs(): number[] {
    return this.events.map((event) => event.seq);
  }

  dispose(): void {
    this.following.dispose();
  }
}

/** first, first + 1, …, last */
export function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
