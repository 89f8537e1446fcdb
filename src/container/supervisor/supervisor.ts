import { randomUUID } from 'node:crypto';
import type { ContainerState, ContainerStatus } from '../../protocol/container';
import type { ContainerSettings, MethodParams } from '../../protocol/rpc';
import { ErrorCode } from '../../protocol/rpc';
import type { RunRecord } from '../../protocol/run';
import type { StartOptions } from '../../targets/local/startOptions';
import { OutputsVolume } from '../../volume/outputsVolume';
import { volumeMessage } from '../volumeMessage';
import type { ActiveRun, Outcome } from './activeRun';
import { IdleTimer } from './idleTimer';
import { checkedParameters, noSuchRun, refusal } from './refusals';
import type { NewRun } from './runDesk';
import { RunDesk } from './runDesk';
import type { Handlers, Session } from './session';
import type { Hint } from './trainer';
import { Trainer } from './trainer';

/** How long a run may take to stop when the container is cooled, before its trainer is killed. */
const STOP_GRACE_MS = 10_000;

/** The heart of a container: one trainer, at most one run at a time, any number of clients. */
export class Supervisor {
  readonly containerId = randomUUID();
  readonly sessions = new Set<Session>();
  private readonly desk: RunDesk;
  private readonly trainer: Trainer;
  private readonly startedAt = new Date().toISOString();
  private readonly idle: IdleTimer;
  private state: ContainerState = 'warming';
  private settings: ContainerSettings;
  private hint: Hint;
  private run: ActiveRun | undefined;
  /** The run whose folder is being made. */
  private accepting: Promise<ActiveRun> | undefined;
  private runs = 0;
  private problem: string | null = null;

  /** @param exit called once when the container has to end; cleans up and leaves */
  constructor(
    private readonly options: StartOptions,
    private readonly version: string,
    bundleDir: string,
    private readonly exit: () => void,
  ) {
    this.settings = options.settings;
    this.hint = options.hint;
    this.desk = new RunDesk(new OutputsVolume(options.outputsDir));
    this.idle = new IdleTimer(options.settings.scaledownWindowMs, () => void this.cool());
    this.trainer = new Trainer(options, bundleDir, {
      phase: () => this.broadcastStatus(),
      log: (level, text) => {
        console.log(`${level}: ${text}`);
        this.takingRun()?.append({ type: 'log', level, text });
      },
      ready: () => {
        this.rest();
        this.dispatch();
      },
      enterFailed: (message) => void this.enterFailed(message),
      event: (runId, event) => this.takingRun(runId)?.append(event),
      firstStep: (runId) => {
        const run = this.takingRun(runId);
        run?.append({ type: 'first_step', time_to_first_step_ms: Date.now() - run.askedAt });
      },
      ended: (ended) => {
        const run = this.takingRun(ended.runId);
        if (run === undefined) {
          this.dispatch();
        } else {
          void this.endRun(run, ended);
        }
      },
      died: (cause) => void this.trainerDied(cause),
    });
  }

  /** Starts the trainer, whose enter hook makes the container warm. */
  warm(spawnedAt: number): void {
    this.setState('warming');
    this.trainer.warm(this.hint, spawnedAt);
  }

  /** What clients may ask; `hello`, `attach` and `detach` are the session's own. */
  readonly handlers: Handlers = {
    status: () => this.status(),
    train: (params) => this.train(params),
    stop: ({ runId, kill }) => this.stop(runId, kill === true),
    runs: async () => {
      const stored = await this.desk.list();
      return { runs: stored.map((record) => (record.runId === this.run?.runId ? this.run.record : record)) };
    },
    pin: async ({ runId, pinned }) => {
      if (this.run?.runId === runId) {
        this.run.update({ pinned });
        return this.run.record;
      }
      const changed = await this.desk.pin(runId, pinned);
      if (changed === undefined) {
        throw noSuchRun(runId);
      }
      this.broadcastRun(changed);
      return changed;
    },
    configure: (settings) => {
      this.settings = settings;
      this.idle.setWindow(settings.scaledownWindowMs);
      this.broadcastStatus();
      return {};
    },
    cool: () => {
      // The answer goes out first.
      setImmediate(() => void this.cool());
      return {};
    },
    source: async (runId) => {
      const source = this.run?.runId === runId ? this.run.source : await this.desk.source(runId);
      if (source === undefined) {
        throw noSuchRun(runId);
      }
      return source;
    },
  };

  /** Stops the run, if there is one, then lets the container go. */
  async cool(): Promise<void> {
    if (this.state === 'cooling') {
      return;
    }
    this.idle.pause();
    this.setState('cooling');
    await this.accepting?.catch(() => undefined);
    const { run } = this;
    if (run !== undefined) {
      const impatience = setTimeout(() => this.trainer.kill(), STOP_GRACE_MS);
      this.stopRun(run, false);
      await run.gone;
      clearTimeout(impatience);
    }
    await this.desk.storeHeld();
    this.trainer.dismiss();
    this.exit();
  }

  private status(): ContainerStatus {
    const { run, trainer } = this;
    return {
      containerId: this.containerId,
      version: this.version,
      state: this.state,
      pid: process.pid,
      trainerPid: trainer.pid,
      engine: trainer.engine,
      device: trainer.device,
      outputsDir: this.options.outputsDir,
      dataDir: this.options.dataDir,
      startedAt: this.startedAt,
      enter: trainer.enter,
      run: run === undefined ? null : { runId: run.runId, recipe: run.record.recipe, ...run.progress },
      scaledownWindowMs: this.settings.scaledownWindowMs,
      idleRemainingMs: this.idle.remainingMs(),
      runs: this.runs,
      rssBytes: process.memoryUsage.rss(),
      problem: this.problem,
    };
  }

  private async train({ recipe, params, waitedMs = 0 }: MethodParams<'train'>): Promise<{ runId: string }> {
    const askedAt = Date.now() - waitedMs;
    const checked = checkedParameters(recipe, params);
    // The client that hears a run's result may ask for the next before the last write of this one.
    while (this.accepting !== undefined || this.run?.ending === true) {
      await (this.accepting?.catch(() => undefined) ?? this.run?.gone);
    }
    this.refuseUnlessFree();
    const start = this.trainer.isReady ? 'warm' : 'cold';
    const { containerId } = this;
    this.idle.pause();
    this.accepting = this.accept({
      recipe,
      params: checked,
      target: this.options.target,
      containerId,
      start,
      askedAt,
    });
    try {
      const run = await this.accepting;
      this.hint = { recipe, params: checked };
      run.append({ type: 'run', recipe, params: checked, start, containerId });
      run.append({ type: 'state', state: 'queued' });
      if (this.problem !== null) {
        void this.endRun(run, run.failure('enter_failed', this.problem));
      }
      return { runId: run.runId };
    } finally {
      this.accepting = undefined;
      this.rest();
      this.dispatch();
    }
  }

  /** @throws JSONRPCErrorException if the container has a run or takes none any more */
  private refuseUnlessFree(): void {
    if (this.run !== undefined) {
      throw refusal(
        ErrorCode.busy,
        `The container trains run ${this.run.runId} already. Wait for it to end, or stop it first.`,
        { runId: this.run.runId },
      );
    }
    if (this.state === 'cooling') {
      throw refusal(ErrorCode.busy, 'The container is being let go. Try again in a moment.');
    }
  }

  private async accept(facts: NewRun): Promise<ActiveRun> {
    try {
      const run = await this.desk.open(facts, {
        appended: (event) => {
          for (const session of this.sessions) {
            session.wake(event.runId);
          }
        },
        recordChanged: (changed) => this.broadcastRun(changed),
        volumeFailed: (failed, error) => this.volumeFailed(failed, error),
      });
      this.run = run;
      this.broadcastRun(run.record);
      return run;
    } catch (error) {
      if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
        throw refusal(ErrorCode.volume, volumeMessage(this.options.outputsDir, error.message));
      }
      throw error;
    }
  }

  /** Hands the run to the trainer as soon as there is a warm one. */
  private dispatch(): void {
    const { trainer } = this;
    const run = this.takingRun();
    const canTrain = trainer.isReady && !trainer.isBusy && this.state !== 'cooling';
    if (run === undefined || run.dispatched || !canTrain) {
      return;
    }
    run.dispatched = true;
    if (run.record.start === 'cold') {
      for (const phase of trainer.enterSince(run.askedAt)) {
        run.append({ type: 'phase', phase });
      }
    }
    run.append({ type: 'engine', engine: trainer.engine, device: trainer.device });
    run.append({ type: 'state', state: 'preparing' });
    this.setState('training');
    const { runId, dir: runDir, askedAt } = run;
    const { recipe, params } = run.record;
    trainer.run({ runId, recipe, params, runDir, askedAt });
  }

  private async stop(runId: string, kill: boolean): Promise<Record<string, never>> {
    const { run } = this;
    if (run?.runId !== runId) {
      throw refusal(
        ErrorCode.noSuchRun,
        `The container does not train run ${runId}: it has ended or never was.`,
      );
    }
    this.stopRun(run, kill);
    if (run.ending) {
      await run.gone;
    }
    return {};
  }

  private stopRun(run: ActiveRun, kill: boolean): void {
    if (run.ending) {
      return;
    }
    const isFirst = !run.stopRequested;
    run.stopRequested = true;
    if (!run.dispatched) {
      void this.endRun(run, { status: 'stopped', ...run.saved });
      return;
    }
    if (isFirst) {
      run.append({ type: 'state', state: 'stopping' });
    }
    if (kill) {
      this.trainer.kill();
    } else if (isFirst) {
      this.trainer.stop();
    }
  }

  private async endRun(run: ActiveRun, ended: Outcome): Promise<void> {
    if (run.ending) {
      return;
    }
    run.ending = true;
    if (ended.error !== undefined) {
      run.append({ type: 'log', level: 'error', text: ended.error.message });
    }
    await this.desk.retain(run, this.settings.keepDates);
    await run.end(ended);
    this.desk.closed(run);
    this.run = undefined;
    this.runs += 1;
    this.rest();
    run.markGone();
  }

  /** A failed enter hook would fail again: the container ends, so that the next start is a fresh one. */
  private async enterFailed(message: string): Promise<void> {
    this.problem = message;
    this.broadcastStatus();
    if (this.run !== undefined) {
      await this.endRun(this.run, this.run.failure('enter_failed', message));
    }
    await this.cool();
  }

  private async trainerDied(cause: string): Promise<void> {
    const { run } = this;
    if (run?.dispatched === true) {
      const message = `The trainer died in the middle of the run: ${cause}. What was saved is kept; a new trainer warms up.`;
      await this.endRun(
        run,
        run.stopRequested ? { status: 'stopped', ...run.saved } : run.failure('trainer_died', message),
      );
    }
    if (this.state !== 'cooling') {
      this.warm(Date.now());
    }
  }

  private volumeFailed(run: ActiveRun, error: Error): void {
    if (run !== this.run || run.ending) {
      return;
    }
    if (run.dispatched) {
      this.trainer.stop();
    }
    void this.endRun(run, run.failure('volume', volumeMessage(this.options.outputsDir, error.message)));
  }

  /** The run that takes events. @param runId only if it is this one */
  private takingRun(runId?: string): ActiveRun | undefined {
    const { run } = this;
    const isMeant = run !== undefined && !run.ending && (runId === undefined || run.runId === runId);
    return isMeant ? run : undefined;
  }

  /** With nothing to do: the scaledown window counts from here. */
  private rest(): void {
    const hasWork = this.run !== undefined || this.accepting !== undefined;
    if (this.trainer.isReady && !hasWork && this.state !== 'cooling') {
      this.idle.restart();
      this.setState('warm');
    }
  }

  private setState(state: ContainerState): void {
    this.state = state;
    this.broadcastStatus();
  }

  private broadcastStatus(): void {
    const status = this.status();
    for (const session of this.sessions) {
      session.notify('status', status);
    }
  }

  private broadcastRun(record: RunRecord): void {
    for (const session of this.sessions) {
      session.notify('run', record);
    }
  }
}
