import type { RunEvent } from '../../protocol/events';
import { EventLogReader } from '../../volume/eventLog';

/** Where a run's events are. */
export interface EventSource {
  /** The run's log. */
  readonly path: string;
  /** The events that follow those in the log, while the volume does not take them. */
  readonly unstored: readonly RunEvent[];
}

/**
 * One client's place in one run's log. It sends what the log holds after that place and goes on as the log
 * grows; a client that reads slowly is waited for, so that it costs a position and not a queue.
 */
export class Subscription {
  private readonly reader: EventLogReader;
  private pumping = false;
  private grown = false;
  private closed = false;

  /**
   * @param sentSeq seq of the last event that the client has
   * @param send resolves once the events have left this process
   */
  constructor(
    private readonly source: EventSource,
    private sentSeq: number,
    private readonly send: (events: readonly RunEvent[]) => Promise<void>,
  ) {
    this.reader = new EventLogReader(source.path, sentSeq);
    this.wake();
  }

  /** The log may have grown. */
  wake(): void {
    this.grown = true;
    if (!this.pumping && !this.closed) {
      this.pumping = true;
      void this.pump();
    }
  }

  /** It was ended, or the run has. */
  get isClosed(): boolean {
    return this.closed;
  }

  close(): void {
    this.closed = true;
    if (!this.pumping) {
      void this.reader.close();
    }
  }

  private async pump(): Promise<void> {
    try {
      while (this.grown && !this.closed) {
        this.grown = false;
        while (await this.sendNext()) {
          // Until the log has no more.
        }
      }
    } catch {
      // The socket is gone, and this subscription with it.
      this.closed = true;
    } finally {
      this.pumping = false;
      if (this.closed) {
        await this.reader.close();
      } else if (this.grown) {
        this.wake();
      }
    }
  }

  /** @returns whether there was anything to send */
  private async sendNext(): Promise<boolean> {
    const events = await this.next();
    const last = events.at(-1);
    if (last === undefined || this.closed) {
      return false;
    }
    await this.send(events);
    this.sentSeq = last.seq;
    if (last.type === 'result') {
      // Nothing comes after it.
      this.closed = true;
    }
    return true;
  }

  private async next(): Promise<readonly RunEvent[]> {
    // A log that cannot be read has nothing more to say.
    const stored = await this.reader.read().catch(() => []);
    if (stored.length > 0) {
      return stored;
    }
    const rest = this.source.unstored.filter((event) => event.seq > this.sentSeq);
    return rest[0]?.seq === this.sentSeq + 1 ? rest : [];
  }
}
