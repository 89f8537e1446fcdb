/** Longest delay that a timer takes; one that is longer would fire at once. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const WARNING_SHARE = 0.9;
const WARNING_MS = 60_000;

export interface RunLimits {
  /** From the run's first attempt to its end; 0: none. */
  runTimeoutMs: number;
  /** Without progress; 0: none. */
  stallTimeoutMs: number;
}

export interface RunClockListener {
  timeoutSoon(leftMs: number, timeoutMs: number): void;
  timedOut(timeoutMs: number): void;
  stalled(afterMs: number): void;
  /** There is progress again. */
  goesOn(): void;
}

/** Watches one run's time: its timeout, with a warning before, and how long ago it made progress. */
export class RunClock {
  private timer: NodeJS.Timeout | undefined;
  private readonly startedAt = performance.now();
  private progressAt: number | undefined;
  private isStalled = false;
  private warned = false;
  private over = false;

  constructor(
    private readonly limits: () => RunLimits,
    private readonly listener: RunClockListener,
  ) {}

  get stalled(): boolean {
    return this.isStalled;
  }

  /** The run has moved. */
  progress(): void {
    const isWatched = this.progressAt !== undefined && !this.isStalled;
    this.progressAt = performance.now();
    if (this.isStalled) {
      this.isStalled = false;
      this.listener.goesOn();
    }
    if (!isWatched) {
      this.check();
    }
  }

  /** Nothing can move just now: the timeout alone counts on. */
  pause(): void {
    this.progressAt = undefined;
    this.isStalled = false;
  }

  /** Looks what is due; to be called also when the limits have changed. */
  check(): void {
    clearTimeout(this.timer);
    const now = performance.now();
    const due = [
      ...this.checkTimeout(now - this.startedAt),
      ...(this.progressAt === undefined ? [] : this.checkStall(now - this.progressAt)),
    ];
    if (due.length > 0 && !this.over) {
      // A fraction of a millisecond early, a timer would find nothing due.
      this.timer = setTimeout(() => this.check(), Math.min(MAX_TIMEOUT_MS, Math.ceil(Math.min(...due)) + 1));
    }
  }

  stop(): void {
    this.over = true;
    clearTimeout(this.timer);
  }

  /** @returns in how many milliseconds there is something to do */
  private checkTimeout(elapsedMs: number): number[] {
    const { runTimeoutMs } = this.limits();
    if (runTimeoutMs === 0 || this.over) {
      return [];
    }
    const leftMs = runTimeoutMs - elapsedMs;
    if (leftMs <= 0) {
      // A process that was held up says both at once: the warning comes first all the same.
      this.warn(0, runTimeoutMs);
      this.stop();
      this.listener.timedOut(runTimeoutMs);
      return [];
    }
    const warnInMs = Math.max(WARNING_SHARE * runTimeoutMs, runTimeoutMs - WARNING_MS) - elapsedMs;
    if (warnInMs > 0) {
      return [warnInMs];
    }
    this.warn(leftMs, runTimeoutMs);
    return [leftMs];
  }

  private warn(leftMs: number, runTimeoutMs: number): void {
    if (!this.warned) {
      this.warned = true;
      this.listener.timeoutSoon(leftMs, runTimeoutMs);
    }
  }

  private checkStall(idleMs: number): number[] {
    const { stallTimeoutMs } = this.limits();
    if (stallTimeoutMs === 0 || this.isStalled || this.over) {
      return [];
    }
    if (idleMs < stallTimeoutMs) {
      return [stallTimeoutMs - idleMs];
    }
    this.isStalled = true;
    this.listener.stalled(stallTimeoutMs);
    return [];
  }
}
