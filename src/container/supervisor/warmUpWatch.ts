import type { ContainerPolicy } from '../../protocol/rpc';
import { MAX_TIMEOUT_MS } from './runClock';

export interface WarmUpListener {
  /** Something is on its way here that the warm-up waits for. */
  isSending(): boolean;
  /** Whether it has been without progress for the stall time has changed. */
  changed(stalled: boolean, afterMs: number): void;
  /** It is not waited for any longer. */
  givenUp(afterMs: number): void;
}

/**
 * Watches a warm-up by its last progress, since an enter hook may hang while its process lives: it is reported after the
 * stall time, and given up after that or the scaledown window, whichever is longer.
 */
export class WarmUpWatch {
  private timer: NodeJS.Timeout | undefined;
  private progressAt: number | undefined;
  private isStalled = false;

  constructor(
    private readonly policy: () => ContainerPolicy,
    private readonly listener: WarmUpListener,
  ) {}

  get stalled(): boolean {
    return this.isStalled;
  }

  /** A trainer is asked for. */
  begin(): void {
    this.progressAt = performance.now();
    this.isStalled = false;
    this.check();
  }

  /** The trainer was heard of, or what it waits for. */
  progress(): void {
    if (this.progressAt === undefined) {
      return;
    }
    this.progressAt = performance.now();
    if (this.isStalled) {
      this.isStalled = false;
      this.listener.changed(false, 0);
    }
  }

  /** It is warm, or gone. */
  end(): void {
    this.progressAt = undefined;
    this.isStalled = false;
    clearTimeout(this.timer);
  }

  /** Looks what is due; to be called also when the policy has changed. */
  check(): void {
    clearTimeout(this.timer);
    if (this.listener.isSending()) {
      this.progress();
    }
    if (this.progressAt === undefined) {
      return;
    }
    const { stallTimeoutMs, scaledownWindowMs } = this.policy();
    const limitMs = Math.max(stallTimeoutMs, scaledownWindowMs);
    const idleMs = performance.now() - this.progressAt;
    const mayStall = stallTimeoutMs > 0 && !this.isStalled;
    const dueMs = (mayStall ? stallTimeoutMs : limitMs) - idleMs;
    if (dueMs > 0) {
      // A fraction of a millisecond early, a timer would find nothing due.
      this.timer = setTimeout(() => this.check(), Math.min(MAX_TIMEOUT_MS, Math.ceil(dueMs) + 1));
    } else if (mayStall) {
      this.isStalled = true;
      this.listener.changed(true, stallTimeoutMs);
      // Unless the listener has begun another one.
      if (this.stalled) {
        this.check();
      }
    } else {
      this.end();
      this.listener.givenUp(limitMs);
    }
  }
}
