import { IdleTimer } from './idleTimer';

export interface WarmPolicy {
  /** 0: no limit. */
  maxWarmMs: number;
  warmGraceMs: number;
}

/**
 * How long a container may be left warm without work, however long its scaledown window is. Past the limit it asks, once;
 * without an answer it is let go when the grace period is over, also where nobody is there to answer.
 */
export class WarmLimit {
  private readonly limit: IdleTimer;
  private readonly grace: IdleTimer;
  private kept = false;

  constructor(
    private policy: WarmPolicy,
    listener: { asked: () => void; letGo: () => void },
  ) {
    this.limit = new IdleTimer(policy.maxWarmMs, () => {
      this.limit.pause();
      this.grace.restart();
      listener.asked();
    });
    this.grace = new IdleTimer(policy.warmGraceMs, () => listener.letGo());
  }

  /** How long until it is let go; null while nothing is asked. */
  get letGoInMs(): number | null {
    return this.grace.remainingMs();
  }

  /** There is nothing to do, perhaps still. */
  idle(): void {
    const isCounting = this.limit.remainingMs() !== null || this.grace.remainingMs() !== null;
    if (!isCounting && !this.kept && this.policy.maxWarmMs > 0) {
      this.limit.restart();
    }
  }

  /** Work has begun: whatever was asked is asked no more, and the limit counts anew after it. */
  busy(): void {
    this.kept = false;
    this.limit.pause();
    this.grace.pause();
  }

  /** The user wants it kept: it is not asked again before the next work. */
  keep(): void {
    this.kept = true;
    this.limit.pause();
    this.grace.pause();
  }

  configure(policy: WarmPolicy): void {
    const isOn = policy.maxWarmMs > 0;
    this.policy = policy;
    this.limit.setWindow(isOn ? policy.maxWarmMs : Number.MAX_SAFE_INTEGER);
    this.grace.setWindow(policy.warmGraceMs);
    if (!isOn) {
      this.limit.pause();
      this.grace.pause();
    }
  }
}
