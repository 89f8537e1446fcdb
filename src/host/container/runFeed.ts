import { EventEmitter } from 'node:events';
import type { RunEvent } from '../../protocol/events';
import { isFinal } from '../../protocol/run';
import type { RunView } from '../../protocol/runView';
import { applyEvent, emptyRunView } from '../../protocol/runView';
import type { OutputsVolume } from '../../volume/outputsVolume';
import type { Disposable } from '../disposables';
import type { ContainerModel } from './containerModel';

/** One run, folded from its log and kept up to date while it goes on. Many may look at the same one. */
export class RunFeed extends EventEmitter<{ events: [RunEvent[]] }> {
  readonly view: RunView;
  /** Resolves once what the volume has is in `view`. */
  readonly loaded: Promise<void>;
  private subscription: Disposable | undefined;
  private readFromVolume = false;
  private closed = false;

  constructor(
    readonly runId: string,
    volume: OutputsVolume,
    private readonly container: ContainerModel,
  ) {
    super();
    this.view = emptyRunView(runId);
    this.loaded = this.load(volume);
  }

  /** Follows the run if it goes on and there is a client; may be called again. */
  readonly follow = (): void => {
    if (this.readFromVolume && !this.closed && this.subscription === undefined && !isFinal(this.view.state)) {
      this.subscription = this.container.follow(this.runId, this.view.lastSeq, (events) => this.take(events));
    }
  };

  /** Takes what the volume has by now: of a run in a container that this window is not connected to. */
  async catchUp(volume: OutputsVolume): Promise<void> {
    await this.loaded;
    if (!this.closed && !isFinal(this.view.state)) {
      this.take(await volume.readRunEvents(this.runId, this.view.lastSeq));
    }
  }

  close(): void {
    this.closed = true;
    this.container.off('change', this.follow);
    this.subscription?.dispose();
    this.removeAllListeners();
  }

  private async load(volume: OutputsVolume): Promise<void> {
    this.take(await volume.readRunEvents(this.runId, 0));
    this.readFromVolume = true;
    if (!this.closed) {
      this.container.on('change', this.follow);
      this.follow();
    }
  }

  private take(told: RunEvent[]): void {
    // The container and the volume may tell of the same.
    const events = told.filter(({ seq }) => seq > this.view.lastSeq);
    for (const event of events) {
      applyEvent(this.view, event);
    }
    if (events.length > 0 && !this.closed) {
      this.emit('events', events);
    }
  }
}

export interface FeedLease extends Disposable {
  readonly feed: RunFeed;
}

/** Shares feeds: a run is read and followed once, however many parts look at it. */
export class RunFeeds {
  private readonly feeds = new Map<string, { feed: RunFeed; leases: number }>();

  constructor(
    /** The outputs volume that has the run, or of now; undefined without a folder. */
    private readonly volumeOf: (runId: string) => OutputsVolume | undefined,
    private readonly container: ContainerModel,
  ) {}

  /** @returns undefined without a folder; to be disposed of when it is no longer looked at */
  open(runId: string): FeedLease | undefined {
    const volume = this.volumeOf(runId);
    if (volume === undefined) {
      return undefined;
    }
    const entry = this.feeds.get(runId) ?? { feed: new RunFeed(runId, volume, this.container), leases: 0 };
    entry.leases += 1;
    this.feeds.set(runId, entry);
    let held = true;
    return {
      feed: entry.feed,
      dispose: () => {
        if (held) {
          held = false;
          this.release(runId, entry);
        }
      },
    };
  }

  /** Brings all that are open up to what the volume has. */
  async catchUp(): Promise<void> {
    await Promise.all(
      [...this.feeds.values()].map(async ({ feed }) => {
        const volume = this.volumeOf(feed.runId);
        if (volume !== undefined) {
          await feed.catchUp(volume);
        }
      }),
    );
  }

  private release(runId: string, entry: { feed: RunFeed; leases: number }): void {
    entry.leases -= 1;
    if (entry.leases === 0) {
      entry.feed.close();
      this.feeds.delete(runId);
    }
  }
}
