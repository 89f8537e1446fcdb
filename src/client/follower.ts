import type { RunEvent } from '../protocol/events';

/**
 * One run as one listener hears it: every event once and in order, whichever way it came (live, replayed after
 * a reconnect, or read from the volume).
 */
export class Follower {
  /** It has the run's last event. */
  ended = false;

  constructor(
    readonly runId: string,
    public lastSeq: number,
    private readonly listener: (events: RunEvent[]) => void,
  ) {}

  /** @returns false if an event is missing before these: the caller has to replay from `lastSeq` */
  take(events: readonly RunEvent[]): boolean {
    const fresh = events.filter((event) => event.seq > this.lastSeq);
    const [first] = fresh;
    if (first === undefined) {
      return true;
    }
    if (first.seq !== this.lastSeq + 1) {
      return false;
    }
    const last = fresh[fresh.length - 1] ?? first;
    this.lastSeq = last.seq;
    this.ended = last.type === 'result';
    this.listener(fresh);
    return true;
  }
}
