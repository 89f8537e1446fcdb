import type { RunEvent } from '../protocol/events';
import type { RunRecord } from '../protocol/run';
import { isFinal } from '../protocol/run';
import type { RunHistory } from '../targets/target';
import type { OutputsVolume } from '../volume/outputsVolume';
import { runDir } from '../volume/outputsVolume';
import { MirroredRun } from './mirroredRun';

/** Runs that are caught up with at a time. */
const AT_ONCE = 8;

/** Where the mirror hears of runs. */
export interface MirrorSource {
  /** See ContainerClient.follow. */
  follow(runId: string, afterSeq: number, listener: (events: RunEvent[]) => void): { dispose(): void };
  /** See Target.history. */
  history(after: ReadonlyMap<string, number>): Promise<RunHistory[]>;
  /** Fetches a small file of a run into its folder here. */
  fetch(runId: string, file: string): Promise<void>;
}

/**
 * This side's copy of the history of a volume that is elsewhere: records, events, logs and samples, as soon as they are
 * told. Checkpoints stay where they are until somebody asks for them.
 */
export class Mirror {
  private readonly runs = new Map<string, MirroredRun>();
  private readonly following = new Map<string, { dispose(): void }>();
  private waiting: string[] = [];
  private work: Promise<unknown> = Promise.resolve();
  private disposed = false;
  private readonly storedWaiters: (() => void)[] = [];

  constructor(
    private readonly volume: OutputsVolume,
    private readonly source: MirrorSource,
  ) {}

  /** There is a container, and these are its volume's runs. */
  async connected(records: readonly RunRecord[]): Promise<void> {
    for (const record of records) {
      await this.told(record);
    }
  }

  /** A run is new or its record has changed. */
  async told(record: RunRecord): Promise<void> {
    const dir = runDir(this.volume, record);
    if (dir === undefined || this.disposed || record.newer === true) {
      return;
    }
    const { runId } = record;
    const known = this.runs.get(runId);
    if (known === undefined && isFinal(record.state)) {
      // What is final here is whole.
      const stored = await this.volume.readRecord(dir);
      if (
        stored !== undefined &&
        isFinal(stored.state) &&
        JSON.stringify(stored) === JSON.stringify(record)
      ) {
        return;
      }
    }
    const run = known ?? new MirroredRun(this.volume, dir);
    this.runs.set(runId, run);
    await run.tell(record);
    if (!run.isComplete && !this.following.has(runId) && !this.waiting.includes(runId)) {
      // What goes on comes before what is only to be caught up with.
      this.waiting = isFinal(record.state) ? [...this.waiting, runId] : [runId, ...this.waiting];
      await this.followNext();
    }
  }

  /** There is no container any more: what it still wrote is read from the volume, where that can be. */
  async caughtUp(): Promise<void> {
    this.unfollow();
    const after = new Map<string, number>();
    for (const { record, dir } of await this.volume.listRuns()) {
      const run = this.runs.get(record.runId) ?? new MirroredRun(this.volume, dir);
      after.set(record.runId, await run.last());
    }
    for (const { record, events } of await this.source.history(after)) {
      const dir = runDir(this.volume, record);
      if (dir !== undefined) {
        const run = this.runs.get(record.runId) ?? new MirroredRun(this.volume, dir);
        this.runs.set(record.runId, run);
        await run.tell(record);
        await run.append(events);
      }
    }
  }

  /** Resolves once those runs that have ended are whole here, or nobody is left who tells of them. */
  async endedRunsStored(): Promise<void> {
    while ([...this.following.keys(), ...this.waiting].some((runId) => this.runs.get(runId)?.isBehind)) {
      await new Promise<void>((resolve) => this.storedWaiters.push(resolve));
    }
  }

  /** Resolves once everything that was heard is stored. */
  async stored(): Promise<void> {
    await this.work;
  }

  dispose(): void {
    this.disposed = true;
    this.unfollow();
  }

  private unfollow(): void {
    for (const following of this.following.values()) {
      following.dispose();
    }
    this.following.clear();
    this.waiting = [];
    this.wake();
  }

  private wake(): void {
    for (const wake of this.storedWaiters.splice(0)) {
      wake();
    }
  }

  private async followNext(): Promise<void> {
    const runId = this.following.size < AT_ONCE ? this.waiting.shift() : undefined;
    const run = runId === undefined ? undefined : this.runs.get(runId);
    if (runId === undefined || run === undefined || this.disposed) {
      return;
    }
    this.following.set(runId, { dispose: () => undefined });
    const afterSeq = await run.last();
    if (!this.following.has(runId)) {
      return;
    }
    this.following.set(
      runId,
      this.source.follow(runId, afterSeq, (events) => this.heard(runId, run, events)),
    );
  }

  private heard(runId: string, run: MirroredRun, events: RunEvent[]): void {
    const storing = run.append(events).then(async () => {
      await this.fetchSamples(runId, events);
      if (run.isComplete) {
        this.following.get(runId)?.dispose();
        this.following.delete(runId);
        await this.followNext();
      }
    });
    // What cannot be stored now is asked for again with the next connection.
    this.work = Promise.allSettled([this.work, storing]).then(() => this.wake());
  }

  private async fetchSamples(runId: string, events: readonly RunEvent[]): Promise<void> {
    for (const event of events) {
      if (event.type === 'sample') {
        await this.source.fetch(runId, event.file).catch(() => undefined);
      }
    }
  }
}
