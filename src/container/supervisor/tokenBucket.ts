/** Allows a burst of so many, and then so many in each second. */
export class TokenBucket {
  private tokens: number;
  private filledAt: number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.tokens = burst;
    this.filledAt = now();
  }

  /** @returns whether there were `count` tokens; if so, they are taken */
  take(count: number): boolean {
    const now = this.now();
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.filledAt) / 1000) * this.perSecond);
    this.filledAt = now;
    if (this.tokens < count) {
      return false;
    }
    this.tokens -= count;
    return true;
  }
}
