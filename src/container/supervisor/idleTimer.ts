import { MAX_TIMEOUT_MS } from './runClock';

/** Counts the scaledown window, from the end of the last work. */
export class IdleTimer {
  private timer: NodeJS.Timeout | undefined;
  private since: number | undefined;

  constructor(
    private windowMs: number,
    private readonly elapsed: () => void,
  ) {}

  /** Work has ended: the window begins. */
  restart(): void {
    this.since = performance.now();
    this.schedule();
  }

  /** Work has begun. */
  pause(): void {
    this.since = undefined;
    clearTimeout(this.timer);
  }

  setWindow(windowMs: number): void {
    this.windowMs = windowMs;
    if (this.since !== undefined) {
      this.schedule();
    }
  }

  /** Milliseconds until the window has passed; null while there is work. */
  remainingMs(): number | null {
    return this.since === undefined ? null : Math.max(0, this.since + this.windowMs - performance.now());
  }

  private schedule(): void {
    const remainingMs = this.remainingMs() ?? 0;
    clearTimeout(this.timer);
    this.timer =
      remainingMs > MAX_TIMEOUT_MS
        ? setTimeout(() => this.schedule(), MAX_TIMEOUT_MS)
        : setTimeout(this.elapsed, remainingMs);
  }
}
