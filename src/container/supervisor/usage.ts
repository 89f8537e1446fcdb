import type { Usage } from '../../protocol/container';

/** Counts for how long a container has been up, warm and training. Times are of one clock, in milliseconds. */
export class UsageClock {
  private warmSince: number | undefined;
  private trainingSince: number | undefined;
  private trainedMs = 0;

  /** @param since when the container was asked for */
  constructor(
    private readonly since: number,
    private readonly now: () => number,
  ) {}

  /** The container is, or is no longer, in these states; warm is counted from the first time on. */
  note(isWarm: boolean, isTraining: boolean): void {
    const now = this.now();
    if (isWarm) {
      this.warmSince ??= now;
    }
    if (isTraining) {
      this.trainingSince ??= now;
    } else if (this.trainingSince !== undefined) {
      this.trainedMs += now - this.trainingSince;
      this.trainingSince = undefined;
    }
  }

  get usage(): Usage {
    const now = this.now();
    const present = this.trainingSince === undefined ? 0 : now - this.trainingSince;
    return {
      upMs: Math.max(0, now - this.since),
      warmMs: this.warmSince === undefined ? 0 : now - this.warmSince,
      trainingMs: this.trainedMs + present,
    };
  }
}
