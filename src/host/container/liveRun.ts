import { EventEmitter } from 'node:events';
import type { RunState } from '../../protocol/run';
import type { ContainerModel } from './containerModel';
import type { FeedLease, RunFeeds } from './runFeed';

/** How far the run in the container is. */
export interface LiveProgress {
  runId: string;
  state: RunState;
  epoch: number;
  epochs: number;
  /** It has made no progress for longer than it should take. */
  stalled: boolean;
}

/** Follows whichever run is in the container, for those who show its progress in a word. */
export class LiveRun extends EventEmitter<{ change: [] }> {
  private lease: FeedLease | undefined;
  private last: LiveProgress | undefined;

  constructor(
    private readonly container: ContainerModel,
    private readonly feeds: RunFeeds,
  ) {
    super();
    container.on('change', this.update);
  }

  get progress(): LiveProgress | undefined {
    return this.last;
  }

  dispose(): void {
    this.container.off('change', this.update);
    this.leave();
    this.removeAllListeners();
  }

  private readonly update = (): void => {
    const runId = this.container.runningRunId;
    if (this.lease?.feed.runId !== runId) {
      this.leave();
      this.lease = runId === undefined ? undefined : this.feeds.open(runId);
      this.lease?.feed.on('events', this.update);
    }
    const next = this.read();
    const changed =
      next?.runId !== this.last?.runId ||
      next?.state !== this.last?.state ||
      next?.epoch !== this.last?.epoch ||
      next?.stalled !== this.last?.stalled;
    this.last = next;
    if (changed) {
      this.emit('change');
    }
  };

  private read(): LiveProgress | undefined {
    const run = this.container.status?.run;
    if (run === null || run === undefined) {
      return undefined;
    }
    const view = this.lease?.feed.view;
    return {
      runId: run.runId,
      state: view?.state ?? 'queued',
      epoch: Math.max(run.epoch, view?.step?.epoch ?? 0),
      epochs: view?.step?.epochs ?? run.epochs,
      stalled: run.stalled,
    };
  }

  private leave(): void {
    this.lease?.feed.off('events', this.update);
    this.lease?.dispose();
    this.lease = undefined;
  }
}
