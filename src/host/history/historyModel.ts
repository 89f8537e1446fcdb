import { EventEmitter } from 'node:events';
import type { RunRecord } from '../../protocol/run';
import { isFinal } from '../../protocol/run';
import type { OutputsVolume, StoredRun } from '../../volume/outputsVolume';

/** The runs of the outputs volume, newest first. Reads nothing before it is asked to. */
export class HistoryModel extends EventEmitter<{ change: [] }> {
  private stored: StoredRun[] = [];
  /** The reading that goes on, and the one that waits for it. */
  private current: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private isLoaded = false;
  private readonly ended = new Map<string, RunRecord>();

  /** @param volume the outputs volume of now; undefined without a folder */
  constructor(private readonly volume: () => OutputsVolume | undefined) {
    super();
  }

  /** As far as they were read. */
  get runs(): readonly StoredRun[] {
    return this.stored;
  }

  find(runId: string): StoredRun | undefined {
    return this.stored.find(({ record }) => record.runId === runId);
  }

  /** The newest run whose container had to be started for it. */
  newestColdRun(exceptRunId: string | undefined): StoredRun | undefined {
    return this.stored.find(
      ({ record }) => record.start === 'cold' && record.runId !== exceptRunId && isFinal(record.state),
    );
  }

  async ensureLoaded(): Promise<void> {
    if (!this.isLoaded) {
      await this.refresh();
    }
  }

  /** Reads all again. Asked for while it reads, it reads once more after that. */
  async refresh(): Promise<void> {
    if (this.next !== undefined) {
      return this.next;
    }
    this.next = this.current.then(async () => {
      this.next = undefined;
      const runs = (await this.volume()?.listRuns()) ?? [];
      this.stored = newestFirst(runs.map((run) => ({ ...run, record: this.settled(run.record) })));
      this.isLoaded = true;
      this.emit('change');
    });
    this.current = this.next.catch(() => undefined);
    return this.next;
  }

  /** Takes what the container says of a run, or what a run.json says. */
  async apply(told: RunRecord): Promise<void> {
    const record = this.settled(told);
    const index = this.stored.findIndex((run) => run.record.runId === record.runId);
    const known = this.stored[index];
    if (known !== undefined) {
      this.stored = this.stored.with(index, { ...known, record });
      this.emit('change');
    } else {
      // Its folder is not known yet.
      await this.refresh();
    }
  }

  /** Forgets all, e.g. since the outputs folder is another one now. */
  reset(): void {
    this.stored = [];
    this.ended.clear();
    this.isLoaded = false;
    this.emit('change');
  }

  /** A run that has ended stays so, whatever an older reading of its file says that comes later. */
  private settled(record: RunRecord): RunRecord {
    if (isFinal(record.state)) {
      this.ended.set(record.runId, record);
      return record;
    }
    return this.ended.get(record.runId) ?? record;
  }
}

/** By the time of the request: the ids of two runs of the same second do not tell. */
function newestFirst(runs: readonly StoredRun[]): StoredRun[] {
  return [...runs].sort((a, b) => Date.parse(b.record.createdAt) - Date.parse(a.record.createdAt));
}
