import type { LogLevel } from '../../protocol/events';

/** Lines that a run's log takes at once, and in each second after that; as in python/tinycats/_container/log_budget.py. */
const LINES_AT_ONCE = 20_000;
const LINES_A_SECOND = 100;
/** A longer line counts as several. */
const LINE_LENGTH = 200;
/** Lines that were left out and are told all the same where they turn out to be the last. */
const LAST_LINES = 50;

const WARNING =
  `The code prints more than its log takes, which is ${LINES_AT_ONCE} lines at once and ${LINES_A_SECOND} a second after that: ` +
  'lines are left out until it prints less. Metrics are read from all of them. Write what is to be kept whole to a file.';

interface Line {
  readonly level: LogLevel;
  readonly text: string;
}

/** How much of what a run prints its log takes: many lines at once, and then so many a second. */
export class LogBudget {
  private tokens = LINES_AT_ONCE;
  private filledAt: number;
  private isWarned = false;
  private leftOut = 0;
  private newest: Line[] = [];

  /** @param now milliseconds of a clock that never goes back */
  constructor(
    private readonly tell: (level: LogLevel, text: string) => void,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.filledAt = now();
  }

  take(level: LogLevel, text: string): void {
    const now = this.now();
    const refill = ((now - this.filledAt) / 1000) * LINES_A_SECOND;
    this.tokens = Math.min(LINES_AT_ONCE, this.tokens + refill);
    this.filledAt = now;
    const cost = 1 + Math.floor(text.length / LINE_LENGTH);
    // Once closed it opens again for a second's worth of lines, not for one line here and there.
    if (this.tokens < (this.leftOut > 0 ? LINES_A_SECOND : cost)) {
      this.leaveOut({ level, text });
      return;
    }
    this.tokens -= cost;
    this.sayWhatIsMissing(this.leftOut);
    this.newest = [];
    this.tell(level, text);
  }

  /** The last lines are told whatever the budget. */
  close(): void {
    this.sayWhatIsMissing(this.leftOut - this.newest.length);
    for (const { level, text } of this.newest) {
      this.tell(level, text);
    }
    this.newest = [];
  }

  private leaveOut(line: Line): void {
    this.leftOut += 1;
    this.newest.push(line);
    if (this.newest.length > LAST_LINES) {
      this.newest.shift();
    }
    if (!this.isWarned) {
      this.isWarned = true;
      this.tell('warning', WARNING);
    }
  }

  private sayWhatIsMissing(count: number): void {
    this.leftOut = 0;
    if (count > 0) {
      this.tell('info', `… ${count} lines were left out.`);
    }
  }
}
