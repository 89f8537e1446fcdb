import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent } from '../protocol/events';
import type { RunRecord } from '../protocol/run';
import { isFinal } from '../protocol/run';
import { withLock } from '../targets/local/fileLock';
import { EventLogWriter, readEvents } from '../volume/eventLog';
import type { OutputsVolume } from '../volume/outputsVolume';
import { RUN_FILES } from '../volume/outputsVolume';
import { TrainingLog } from '../volume/trainingLog';

/** One run in the mirror. Several processes may write it: each appends only what follows the log's last event. */
export class MirroredRun {
  private lastSeq = 0;
  private hasResult = false;
  /** Size of the log when `lastSeq` was read or written. */
  private knownBytes = -1;
  private heard: RunRecord | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly volume: OutputsVolume,
    readonly dir: string,
  ) {}

  /** Seq of the last event that the mirror has. */
  async last(): Promise<number> {
    return this.inTurn(async () => {
      await this.look();
      return this.lastSeq;
    });
  }

  /** Whether the mirror has the run's last event. */
  get isComplete(): boolean {
    return this.hasResult;
  }

  /** Whether the run has ended as far as this side has heard, and the mirror lacks its last event. */
  get isBehind(): boolean {
    return this.heard !== undefined && isFinal(this.heard.state) && !this.hasResult;
  }

  /** Stores those of the events that the mirror lacks, in order. */
  async append(events: readonly RunEvent[]): Promise<void> {
    await this.locked(async () => {
      await this.look();
      const fresh = events.filter(({ seq }) => seq > this.lastSeq);
      const [first] = fresh;
      if (first?.seq !== this.lastSeq + 1) {
        return;
      }
      const log = new EventLogWriter(this.path, first.runId, this.lastSeq);
      const text = new TrainingLog(join(this.dir, RUN_FILES.log));
      try {
        for (const event of fresh) {
          log.write(event);
          text.append(event);
          this.lastSeq = event.seq;
          this.hasResult ||= event.type === 'result';
        }
      } finally {
        log.close();
      }
      this.knownBytes = (await stat(this.path)).size;
      await this.writeRecord();
    });
  }

  /** Takes a record. One of a run that has ended is stored once the run's last event is. */
  async tell(record: RunRecord): Promise<void> {
    this.heard = record;
    await mkdir(this.dir, { recursive: true });
    await this.locked(async () => {
      await this.look();
      await this.writeRecord();
    });
  }

  private async writeRecord(): Promise<void> {
    const { heard } = this;
    if (heard === undefined || (isFinal(heard.state) && !this.hasResult)) {
      const stored = await this.volume.readRecord(this.dir);
      if (heard !== undefined && stored === undefined) {
        // It is listed at once, as one that goes on: what it ended with comes with its last event.
        await this.volume.writeRecord(this.dir, withoutEnd(heard));
      }
      return;
    }
    const stored = await this.volume.readRecord(this.dir);
    const isOlder = stored !== undefined && isFinal(stored.state) && !isFinal(heard.state);
    if (!isOlder && JSON.stringify(stored) !== JSON.stringify(heard)) {
      await this.volume.writeRecord(this.dir, heard);
    }
  }

  /** Another process may have written meanwhile. */
  private async look(): Promise<void> {
    const size = await stat(this.path).then(
      (facts) => facts.size,
      () => 0,
    );
    if (size !== this.knownBytes) {
      const last = (await readEvents(this.path)).at(-1);
      this.lastSeq = last?.seq ?? 0;
      this.hasResult = last?.type === 'result';
      this.knownBytes = size;
    }
  }

  private get path(): string {
    return join(this.dir, RUN_FILES.events);
  }

  private async locked(work: () => Promise<void>): Promise<void> {
    await this.inTurn(() => withLock(this.dir, work));
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.turn.then(work);
    this.turn = turn.catch(() => undefined);
    return turn;
  }
}

function withoutEnd(record: RunRecord): RunRecord {
  const open = { ...record, state: 'training' as const };
  delete open.result;
  delete open.endedAt;
  return open;
}
