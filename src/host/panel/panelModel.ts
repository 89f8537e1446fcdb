import type { RunEvent } from '../../protocol/events';
import type { ColdStart, HostToPanel } from '../../protocol/panel';
import type { ParameterProblem } from '../../protocol/parameters';
import type { RunView } from '../../protocol/runView';
import type { ContainerModel } from '../container/containerModel';
import type { FeedLease, RunFeeds } from '../container/runFeed';
import type { HistoryModel } from '../history/historyModel';
import type { SweepRecord } from '../../protocol/sweep';
import type { SweepModel } from '../sweeps/sweepModel';
import type { RecipeStores } from '../recipeStores';
import { EventBatch } from './eventBatch';

export interface PanelModelDeps {
  container: ContainerModel;
  feeds: RunFeeds;
  history: HistoryModel;
  recipes: Pick<RecipeStores, 'forms' | 'next'>;
  /** A picture of a run as a data URL; null if there is none. */
  readSample: (runId: string, file: string) => Promise<string | null>;
  sweeps: Pick<SweepModel, 'ofRun' | 'on' | 'off' | 'sweeps'>;
  mayTrain: () => boolean;
  post: (message: HostToPanel) => void;
}

/** What the panel shows: one run, chosen or the newest, as a snapshot and then in increments. */
export class PanelModel {
  /** Null: whichever run is the newest. */
  private chosen: string | null = null;
  private lease: FeedLease | undefined;
  /** The page has asked for a snapshot and hears increments from then on. */
  private listening = false;
  private turn = 0;
  private readonly batch = new EventBatch((events) => this.deps.post({ type: 'events', events }));

  constructor(private readonly deps: PanelModelDeps) {
    deps.container.on('change', this.containerChanged);
    deps.history.on('change', this.historyChanged);
    deps.sweeps.on('change', this.sweepChanged);
  }

  /** The run that is shown. */
  get run(): RunView | undefined {
    return this.lease?.feed.view;
  }

  /** Shows that run, or the newest and those that come after it. */
  show(runId: string | null): void {
    this.chosen = runId;
    this.refresh();
  }

  /** The page is there (again): it gets a snapshot now. */
  pageReady(): void {
    this.listening = true;
    this.refresh();
  }

  /** The page is gone; it comes back with `pageReady`. */
  pageHidden(): void {
    this.listening = false;
    this.batch.clear();
  }

  refresh(): void {
    if (this.listening) {
      void this.sendSnapshot();
    }
  }

  refuse(problems: readonly ParameterProblem[]): void {
    this.deps.post({ type: 'problems', problems: [...problems] });
  }

  setParameter(name: string, value: string): void {
    this.deps.post({ type: 'parameter', name, value });
  }

  async sendSample(runId: string, file: string): Promise<void> {
    const dataUrl = await this.deps.readSample(runId, file);
    if (this.listening) {
      this.deps.post({ type: 'sample', runId, file, dataUrl });
    }
  }

  dispose(): void {
    this.turn += 1;
    this.listening = false;
    this.batch.clear();
    this.deps.container.off('change', this.containerChanged);
    this.deps.history.off('change', this.historyChanged);
    this.deps.sweeps.off('change', this.sweepChanged);
    this.look(undefined);
  }

  private async sendSnapshot(): Promise<void> {
    const turn = ++this.turn;
    const { deps } = this;
    await deps.history.ensureLoaded();
    this.followNewest();
    const lease = this.look(this.wanted());
    await lease?.feed.loaded;
    const coldStart = await this.coldStart();
    // Another run was chosen, or the page went, meanwhile.
    if (turn !== this.turn || !this.listening) {
      return;
    }
    this.batch.clear();
    deps.post({
      type: 'snapshot',
      recipes: deps.recipes.forms,
      recipe: deps.recipes.next.name,
      run: lease?.feed.view ?? null,
      chosen: this.chosen,
      coldStart,
      container: deps.container.view,
      mayTrain: deps.mayTrain(),
      sweep: this.sweep,
    });
  }

  /** Who looks at the newest run wants to see the next one when it comes. */
  private followNewest(): void {
    if (this.chosen !== null && this.chosen === this.deps.history.runs[0]?.record.runId) {
      this.chosen = null;
    }
  }

  private wanted(): string | undefined {
    const { container, history } = this.deps;
    return this.chosen ?? container.runningRunId ?? history.runs[0]?.record.runId;
  }

  private look(runId: string | undefined): FeedLease | undefined {
    if (this.lease?.feed.runId !== runId) {
      const before = this.lease;
      before?.feed.off('events', this.heard);
      this.lease = runId === undefined ? undefined : this.deps.feeds.open(runId);
      this.lease?.feed.on('events', this.heard);
      before?.dispose();
    }
    return this.lease;
  }

  private async coldStart(): Promise<ColdStart | null> {
    const { feeds, history } = this.deps;
    const run = history.newestColdRun(this.run?.runId);
    if (run === undefined) {
      return null;
    }
    const lease = feeds.open(run.record.runId);
    try {
      await lease?.feed.loaded;
      return {
        runId: run.record.runId,
        phases: lease?.feed.view.phases ?? [],
        timeToFirstStepMs: run.record.timeToFirstStepMs ?? null,
      };
    } finally {
      lease?.dispose();
    }
  }

  private readonly heard = (events: readonly RunEvent[]): void => {
    if (this.listening) {
      this.batch.add(events);
    }
  };

  private readonly containerChanged = (): void => {
    if (this.listening) {
      this.deps.post({ type: 'container', container: this.deps.container.view });
    }
    this.historyChanged();
  };

  private get sweep(): SweepRecord | null {
    const { history, sweeps } = this.deps;
    const runId = this.lease?.feed.runId;
    // The first training of a workspace may be a sweep whose containers still start.
    const sweep = runId === undefined ? sweeps.sweeps[0] : sweeps.ofRun(history.find(runId)?.record);
    return sweep ?? null;
  }

  private readonly sweepChanged = (): void => {
    if (this.listening) {
      this.deps.post({ type: 'sweep', sweep: this.sweep });
    }
  };

  /** A newer run than the shown one, if it is the newest that is to be shown. */
  private readonly historyChanged = (): void => {
    this.followNewest();
    if (this.listening && this.wanted() !== this.lease?.feed.runId) {
      this.refresh();
    }
  };
}
