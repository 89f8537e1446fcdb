import type { Phase } from '../protocol/events';
import type { StartProgress } from './target';

/** Times the parts of a container's start on this side of the link. */
export class StartPhases implements StartProgress {
  private readonly done: Phase[] = [];
  private readonly running: string[] = [];

  /**
   * @param originMs what the phases are counted from, as `performance.now()` says it
   * @param changed called when a phase begins or ends
   */
  constructor(
    private readonly originMs: number,
    private readonly changed: () => void = () => undefined,
    readonly log: (text: string) => void = () => undefined,
  ) {}

  get phases(): readonly Phase[] {
    return this.done;
  }

  /** Name of what goes on now; undefined once the container is reached. */
  get present(): string | undefined {
    return this.running.at(-1);
  }

  async phase<T>(name: string, work: () => Promise<T>, scope: Phase['scope'] = 'enter'): Promise<T> {
    const startedMs = performance.now();
    this.running.push(name);
    this.changed();
    try {
      return await work();
    } finally {
      this.running.splice(this.running.lastIndexOf(name), 1);
      const startMs = Math.max(0, startedMs - this.originMs);
      this.done.push({ name, scope, startMs, durationMs: performance.now() - startedMs });
      this.changed();
    }
  }
}
