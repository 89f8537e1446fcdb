import type { SweepRecord, Trial } from '../protocol/sweep';
import type { SweepFiles } from '../volume/sweepFiles';

const SAVE_PERIOD_MS = 250;

/** The sweep's record in the driver's hands: changed at once, stored in order, progress no more often than it is read. */
export class SweepJournal {
  private writing: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly files: Pick<SweepFiles, 'write'>,
    public record: SweepRecord,
  ) {}

  trial(index: number): Trial {
    const trial = this.record.trials[index];
    if (trial === undefined) {
      throw new Error(`sweep ${this.record.sweepId} has no trial ${index}`);
    }
    return trial;
  }

  /** Stored a moment later. */
  note(index: number, change: Partial<Trial>): void {
    this.set(index, change);
    this.timer ??= setTimeout(() => {
      this.save().catch((error: unknown) => console.error(error));
    }, SAVE_PERIOD_MS);
  }

  /** Resolves once it is stored. @throws Error if the volume cannot be written */
  async decide(index: number, change: Partial<Trial>): Promise<void> {
    this.set(index, change);
    await this.save();
  }

  /** Resolves once it is stored. @throws Error if the volume cannot be written */
  async update(change: Partial<SweepRecord>): Promise<void> {
    this.record = { ...this.record, ...change };
    await this.save();
  }

  private set(index: number, change: Partial<Trial>): void {
    const trials = this.record.trials.with(index, { ...this.trial(index), ...change });
    this.record = { ...this.record, trials };
  }

  private async save(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const turn = this.writing.then(() => this.files.write(this.record));
    this.writing = turn.catch(() => undefined);
    await turn;
  }
}
