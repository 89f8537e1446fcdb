import { noSnapshots } from './target';
import type {
  ContainerOptions,
  Endpoint,
  Finding,
  RunHistory,
  StartProgress,
  Target,
  TargetKind,
} from './target';

/** A target whose code is loaded when it is used for the first time. */
export class LazyTarget implements Target {
  private opened: Promise<Target> | undefined;

  constructor(
    readonly name: string,
    readonly kind: TargetKind,
    readonly python: string | undefined,
    private readonly open: () => Promise<Target>,
  ) {}

  async find(): Promise<Endpoint | undefined> {
    return (await this.target()).find();
  }

  async start(options: ContainerOptions, progress: StartProgress): Promise<Endpoint> {
    return (await this.target()).start(options, progress);
  }

  async kill(): Promise<void> {
    await (await this.target()).kill();
  }

  async settle(): Promise<string[]> {
    return (await this.target()).settle();
  }

  async check(signal?: AbortSignal): Promise<Finding[]> {
    return (await this.target()).check(signal);
  }

  async history(after: ReadonlyMap<string, number>): Promise<RunHistory[]> {
    return (await (await this.target()).history?.(after)) ?? [];
  }

  async snapshot(freeze: (freezeId: string) => Promise<void>): Promise<void> {
    const target = await this.target();
    if (target.snapshot === undefined) {
      throw noSnapshots(this.name);
    }
    await target.snapshot(freeze);
  }

  async dispose(): Promise<void> {
    const { opened } = this;
    this.opened = undefined;
    await (await opened?.catch(() => undefined))?.dispose();
  }

  private target(): Promise<Target> {
    if (this.opened === undefined) {
      const opened = this.open();
      this.opened = opened;
      // The next use tries again.
      opened.catch(() => {
        this.opened = undefined;
      });
    }
    return this.opened;
  }
}
