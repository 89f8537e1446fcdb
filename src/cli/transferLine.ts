import { Pace } from '../transfer/pace';
import { bytesText, clockText, durationText } from './format';
import type { Terminal } from './terminal';
import { displayWidth } from './text';

/** Redrawn no more often than that. */
const REDRAW_MS = 100;

/** Tells of a transfer: by a line that is redrawn where there is a terminal, else when it begins; and what it came to. */
export class TransferLine {
  private readonly pace = new Pace();
  private startedMs: number | undefined;
  private drawnMs = -Infinity;
  private total = 0;

  /**
   * @param doing e.g. "Sending"
   * @param done e.g. "Sent"
   * @param now milliseconds of a clock that only goes on
   */
  constructor(
    private readonly terminal: Terminal,
    private readonly doing: string,
    private readonly done: string,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @param what is transferred, e.g. "12 files" */
  show(what: string, bytes: number, total: number): void {
    const nowMs = this.now();
    this.pace.note(bytes, nowMs);
    this.total = total;
    if (this.startedMs === undefined) {
      this.startedMs = nowMs;
      if (!this.terminal.isTTY) {
        this.terminal.message(`${this.doing} ${what} (${bytesText(total)})`);
      }
    }
    if (nowMs - this.drawnMs >= REDRAW_MS) {
      this.drawnMs = nowMs;
      const text = transferText(`${this.doing} ${what}`, bytes, total, this.pace.bytesPerSecond);
      this.terminal.progress(displayWidth(text) < this.terminal.columns ? text : '');
    }
  }

  /** It is over; nothing is said where nothing was transferred. */
  end(what: string): void {
    if (this.startedMs !== undefined) {
      this.terminal.clearProgress();
      const took = durationText(this.now() - this.startedMs);
      this.terminal.message(`${this.done} ${what} (${bytesText(this.total)}) in ${took}`);
      this.startedMs = undefined;
    }
  }

  /** It was broken off: nothing is said of it. */
  drop(): void {
    this.terminal.clearProgress();
    this.startedMs = undefined;
  }
}

/** `Sending 12 files: 3.1 MB of 12.4 MB, 25%, 8.2 MB/s, 0:01 left` */
export function transferText(
  what: string,
  bytes: number,
  total: number,
  bytesPerSecond: number | undefined,
): string {
  const share = total === 0 ? 1 : bytes / total;
  const speed =
    bytesPerSecond === undefined || bytesPerSecond <= 0
      ? ''
      : `, ${bytesText(Math.round(bytesPerSecond))}/s, ${clockText(((total - bytes) / bytesPerSecond) * 1000)} left`;
  return `${what}: ${bytesText(bytes)} of ${bytesText(total)}, ${Math.floor(share * 100)}%${speed}`;
}
