import type { RunEvent } from '../../protocol/events';
import { EventLogReader } from '../../volume/eventLog';

/**
 * One client's place in one run's log. It sends what the log holds after that place and goes on as the log
 * grows; a client that reads slowly is waited for, so that it costs a position and not a queue.
 */
export class Subscription {
  private readonly reader: EventLogReader;
  private pumping = false;
  private grown = false;
  private closed = false;

  /** @param send resolves once the events have left this process */
  constructor(
    logPath: string,
    afterSeq: number,
    private readonly send: (events: readonly RunEvent[]) => Promise<void>,
  ) {
    this.reader = new EventLogReader(logPath, afterSeq);
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
        for (let events = await this.reader.read(); events.length > 0; events = await this.reader.read()) {
          await this.send(events);
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
}
