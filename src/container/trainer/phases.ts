import type { Phase } from '../../protocol/events';

/** Times named phases and tells of each when it is done. Phases inside phases name the one around them. */
export class PhaseRecorder {
  private readonly open: string[] = [];

  /** @param originMs from when phases are counted, milliseconds since the epoch */
  constructor(
    private readonly scope: Phase['scope'],
    private readonly originMs: number,
    private readonly tell: (phase: Phase) => void,
  ) {}

  /** Runs `work` as a phase; one that throws is not told of. */
  readonly phase = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
    const startMs = this.now();
    const within = this.open.at(-1);
    this.open.push(name);
    try {
      const result = await work();
      this.add(name, startMs, within);
      return result;
    } finally {
      this.open.pop();
    }
  };

  /** A phase that began before this process could time it and ends now. */
  since(name: string, startMs: number): void {
    this.add(name, startMs, undefined);
  }

  /** Milliseconds since the origin. */
  now(): number {
    return performance.timeOrigin + performance.now() - this.originMs;
  }

  private add(name: string, startMs: number, within: string | undefined): void {
    const durationMs = this.now() - startMs;
    this.tell({ name, scope: this.scope, startMs, durationMs, ...(within === undefined ? {} : { within }) });
  }
}
