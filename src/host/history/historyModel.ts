import { EventEmitter } from 'node:events';
import type { RunRecord } from '../../protocol/run';
import { isFinal } from '../../protocol/run';
import type { OutputsVolume, StoredRun } from '../../volume/outputsVolume';

/** A run in the history: where it is read here, and where its container lives or lived. */
export interface HistoryRun extends StoredRun {
  target: string;
}

/** An outputs volume as it is read here. */
export interface HistoryVolume {
  target: string;
  volume: OutputsVolume;
}

/** The runs of every target's outputs volume, newest first. Reads nothing before it is asked to. */
export class HistoryModel extends EventEmitter<{ change: [] }> {
  private stored: HistoryRun[] = [];
  private volumes: readonly HistoryVolume[] = [];
  /** The reading that goes on, and the one that waits for it. */
  private current: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private isLoaded = false;
  private readonly ended = new Map<string, RunRecord>();

  /** @param listVolumes those that there are now; none without a folder */
  constructor(private readonly listVolumes: () => Promise<readonly HistoryVolume[]>) {
    super();
  }

  /** As far as they were read. */
  get runs(): readonly HistoryRun[] {
    return this.stored;
  }

  /** The volumes that they were read from. */
  get places(): readonly HistoryVolume[] {
    return this.volumes;
  }

  find(runId: string): HistoryRun | undefined {
    return this.stored.find(({ record }) => record.runId === runId);
  }

  /** The volume that has the run; undefined as long as it is not known. */
  volumeOf(runId: string): OutputsVolume | undefined {
    const target = this.find(runId)?.target;
    return this.volumes.find((each) => each.target === target)?.volume;
  }

  /** The newest run, on the same target, whose container had to be started for it. */
  newestColdRun(exceptRunId: string | undefined): HistoryRun | undefined {
    const target = exceptRunId === undefined ? undefined : this.find(exceptRunId)?.target;
    return this.stored.find(
      (run) =>
        run.record.start === 'cold' &&
        run.record.runId !== exceptRunId &&
        (target === undefined || run.target === target) &&
        isFinal(run.record.state),
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
      const volumes = await this.listVolumes();
      const lists = await Promise.all(
        volumes.map(async ({ target, volume }) =>
          (await volume.listRuns()).map((run) => ({ ...run, target, record: this.settled(run.record) })),
        ),
      );
      this.volumes = volumes;
      this.stored = newestFirst(lists.flat());
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
function newestFirst(runs: readonly HistoryRun[]): HistoryRun[] {
  return [...runs].sort((a, b) => Date.parse(b.record.createdAt) - Date.parse(a.record.createdAt));
}
