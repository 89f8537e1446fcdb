import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { ContainerState, ContainerStatus } from '../../protocol/container';
import { RECIPES_PROGRAM, isUserProgram } from '../../protocol/program';
import { SAMPLE_DATA_SET } from '../../protocol/recipes';
import type { ContainerPolicy, ContainerSettings, MethodParams } from '../../protocol/rpc';
import { DEFAULT_POLICY, ErrorCode, withSettings } from '../../protocol/rpc';
import type { Location, RunRecord, SweepPlace } from '../../protocol/run';
import { mayBeLive } from '../../targets/local/livingContainers';
import type { Elsewhere, StartOptions } from '../../targets/local/startOptions';
import { settleInterruptedRuns } from '../../volume/interrupted';
import { errorText } from '../data/dataError';
import { ensureSampleDataset } from '../data/sample/sampleDataset';
import { volumeMessage } from '../volumeMessage';
import type { ActiveRun } from './activeRun';
import type { Door } from './door';
import { thawed } from './freeze';
import { IdleTimer } from './idleTimer';
import { mayBeTorch } from './launch';
import { checkedParameters, noSuchRun, refusal } from './refusals';
import { programHere } from './pathsHere';
import type { NewRun } from './runDesk';
import type { DoneBefore } from './scheduler';
import { Scheduler } from './scheduler';
import type { Handlers } from './session';
import { Session } from './session';
import { UsageClock } from './usage';
import { WarmLimit } from './warmLimit';

/** Most runs that wait for their turn. */
const MAX_QUEUE = 32;
/** How long who started a container may take to ask for its status. */
const HEARD_WITHIN_MS = 10_000;

/** The heart of a container: one trainer, one run at a time, any number of clients. */
export class Supervisor {
  /** One that was restored is another container. */
  containerId: string = randomUUID();
  private readonly sessions = new Set<Session>();
  private readonly scheduler: Scheduler;
  private startedAt = new Date().toISOString();
  private readonly idle: IdleTimer;
  private readonly warmLimit: WarmLimit;
  private usage: UsageClock;
  private policy: ContainerPolicy;
  private cooling = false;
  /** A snapshot of the container's processes is being made, or is what this one comes from. */
  private frozen = false;
  private otherWork = 0;
  /** The run whose folder is being made. */
  private accepting: Promise<ActiveRun> | undefined;
  private problem: string | null = null;
  private statusAsked: (() => void) | undefined;
  private settling: Promise<unknown> = Promise.resolve();
  /** Runs by their places in sweeps: who asks again after a dropped link gets the same one. */
  private readonly sweepRuns = new Map<string, string>();

  constructor(
    private readonly options: StartOptions,
    private readonly version: string,
    bundleDir: string,
    private readonly door: Door,
  ) {
    this.policy = withSettings(DEFAULT_POLICY, options.settings);
    this.idle = new IdleTimer(this.policy.scaledownWindowMs, () => void this.cool());
    this.warmLimit = new WarmLimit(this.policy, {
      asked: () => this.broadcastStatus(),
      letGo: () => void this.cool(),
    });
    this.usage = new UsageClock(options.spawnedAt, Date.now);
    this.scheduler = new Scheduler(options, bundleDir, () => this.policy, {
      changed: () => this.changed(),
      appended: (event) => {
        for (const session of this.sessions) {
          session.wake(event.runId);
        }
      },
      recordChanged: (record) => this.broadcastRun(record),
      enterFailed: (message, location) => void this.enterFailed(message, location),
      isSending: () => this.otherWork > 0,
    });
  }

  /** Starts the trainer, whose enter hook makes the container warm. */
  warm(spawnedAt: number): void {
    this.scheduler.warm(spawnedAt);
  }

  /** Takes another client in. */
  admit(socket: WebSocket): void {
    const session = new Session(socket, this.handlers);
    this.sessions.add(session);
    socket.once('close', () => this.sessions.delete(session));
  }

  /**
   * The runs of a container that died get their end: who asks for runs meanwhile waits for it, and clients who have seen
   * them as open hear it.
   */
  async settle(elsewhere?: Elsewhere): Promise<void> {
    const { outputsDir } = this.options;
    const settling = settleInterruptedRuns(outputsDir, mayBeLive(outputsDir, elsewhere));
    this.settling = settling.catch(() => undefined);
    for (const runId of await settling) {
      for (const session of this.sessions) {
        session.wake(runId);
      }
      const record = await this.scheduler.desk.record(runId);
      if (record !== undefined) {
        this.broadcastRun(record);
      }
    }
  }

  /** What clients may ask; `hello`, `attach` and `detach` are the session's own. */
  private readonly handlers: Handlers = {
    status: () => {
      this.statusAsked?.();
      return this.status();
    },
    train: (params) => this.train(params),
    stop: ({ runId, kill }) => this.stop(runId, kill === true),
    runs: async () => {
      await this.settling;
      const stored = await this.scheduler.desk.list();
      return { runs: stored.map((record) => this.scheduler.find(record.runId)?.record ?? record) };
    },
    pin: async ({ runId, pinned }) => {
      const run = this.scheduler.find(runId);
      if (run !== undefined) {
        run.update({ pinned });
        return run.record;
      }
      const changed = await this.scheduler.desk.pin(runId, pinned);
      if (changed === undefined) {
        throw noSuchRun(runId);
      }
      this.broadcastRun(changed);
      return changed;
    },
    configure: (settings) => {
      this.configure(settings);
      this.countIdleness();
      this.scheduler.configured();
      this.broadcastStatus();
      return {};
    },
    keepWarm: () => {
      this.warmLimit.keep();
      this.broadcastStatus();
      return {};
    },
    cool: () => {
      // The answer goes out first.
      setImmediate(() => void this.cool());
      return {};
    },
    freeze: ({ freezeId }) => {
      const { thawDir } = this.options;
      const why = thawDir === undefined ? 'its target has no snapshots' : this.obstacleToFreezing;
      if (thawDir === undefined || why !== undefined) {
        throw refusal(ErrorCode.notFreezable, `No snapshot of the container can be made: ${why}.`);
      }
      this.frozen = true;
      // The answer goes out first.
      setImmediate(() => void this.freeze(thawDir, freezeId));
      return {};
    },
    source: async (runId) => {
      const source = this.scheduler.find(runId)?.source ?? (await this.scheduler.desk.source(runId));
      if (source === undefined) {
        throw noSuchRun(runId);
      }
      return source;
    },
  };

  /** What is sent under that name is here. */
  arrived(name: string): void {
    this.scheduler.arrived(name);
  }

  /** Counts something else than a run as work: the scaledown window waits for it. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.otherWork += 1;
    this.idle.pause();
    try {
      return await work;
    } finally {
      this.scheduler.warmUp.progress();
      this.otherWork -= 1;
      this.changed();
    }
  }

  /** Stops the runs, if there are any, then lets the container go. */
  async cool(): Promise<void> {
    if (this.cooling) {
      return;
    }
    this.cooling = true;
    this.idle.pause();
    this.warmLimit.busy();
    this.broadcastStatus();
    await this.accepting?.catch(() => undefined);
    await this.scheduler.close();
    await this.door.close(this.containerId);
    process.exit(0);
  }

  /** Lets the container go; asked again, it does not wait for the running step. */
  async terminate(): Promise<void> {
    if (this.cooling) {
      this.scheduler.trainer.kill();
    }
    await this.cool();
  }

  /** Why it has to do something else now; undefined if it has not. */
  private get obstacleToFreezing(): string | undefined {
    switch (this.state) {
      case 'warming':
        return 'it is not warm yet';
      case 'training':
        return 'it trains';
      case 'cooling':
        return 'it is being let go';
      case 'warm':
        return this.frozen || this.hasWork ? 'it is at work' : undefined;
    }
  }

  /** Nothing that a snapshot holds is bound to this moment: no connection, no timer, no file of a run. */
  private async freeze(thawDir: string, freezeId: string): Promise<void> {
    this.idle.pause();
    this.warmLimit.busy();
    await this.door.shut();
    const { restored } = await thawed(thawDir, freezeId);
    this.frozen = false;
    if (restored === null) {
      await this.door.reopen();
    } else {
      await this.restore(restored);
    }
    this.changed();
  }

  /** Goes on as a new container would start: what happened since the snapshot was made, it has not seen. */
  private async restore({ elsewhere, settings, spawnedAt }: StartOptions): Promise<void> {
    await this.door.takeDown();
    this.containerId = randomUUID();
    this.startedAt = new Date().toISOString();
    this.usage = new UsageClock(spawnedAt, Date.now);
    this.configure(settings);
    const settled = this.settle(elsewhere);
    await this.door.open(this.containerId);
    await settled;
  }

  private configure(settings: ContainerSettings): void {
    this.policy = withSettings(this.policy, settings);
    this.idle.setWindow(this.policy.scaledownWindowMs);
    this.warmLimit.configure(this.policy);
  }

  private get hasWork(): boolean {
    const { run, queue } = this.scheduler;
    const isAsked = this.accepting !== undefined || this.otherWork > 0;
    return run !== undefined || queue.length > 0 || isAsked;
  }

  private get state(): ContainerState {
    if (this.cooling) {
      return 'cooling';
    }
    if (!this.scheduler.trainer.isReady) {
      return 'warming';
    }
    return this.scheduler.run === undefined ? 'warm' : 'training';
  }

  private status(): ContainerStatus {
    const { run, queue, trainer, warmUp, isStalled, ended } = this.scheduler;
    const { letGoInMs } = this.warmLimit;
    return {
      containerId: this.containerId,
      version: this.version,
      state: this.state,
      pid: process.pid,
      trainerPid: trainer.pid,
      engine: trainer.engine,
      device: trainer.device,
      deviceFacts: trainer.deviceFacts,
      program: trainer.program,
      heldMemory: trainer.heldMemory,
      restartNeeded: trainer.restartNeeded,
      outputsDir: this.options.outputsDir,
      dataDir: this.options.dataDir,
      startedAt: this.startedAt,
      enter: { ...trainer.enter, stalled: warmUp.stalled },
      run:
        run === undefined
          ? null
          : {
              runId: run.runId,
              recipe: run.record.recipe,
              ...run.progress,
              stalled: isStalled,
              stopping: run.stopRequested,
            },
      queue: queue.map(({ runId }) => runId),
      scaledownWindowMs: this.policy.scaledownWindowMs,
      idleRemainingMs: this.idle.remainingMs(),
      usage: this.usage.usage,
      pricePerHour: this.policy.pricePerHour,
      leftWarm: letGoInMs === null ? null : { letGoInMs },
      runs: ended,
      rssBytes: process.memoryUsage.rss(),
      problem: this.problem,
    };
  }

  private async train(params: MethodParams<'train'>): Promise<{ runId: string }> {
    const askedAt = Date.now() - (params.waitedMs ?? 0);
    const { recipe } = params;
    const program = programHere(params.program ?? RECIPES_PROGRAM, this.options.dataDir);
    const checked = checkedParameters(recipe, params.params, program);
    const entrypoint = isUserProgram(program) ? program.entrypoint : undefined;
    const { resumeRun } = params;
    // The client that hears a run's result may ask to go on with it before its last write.
    const ending = resumeRun === undefined ? undefined : this.scheduler.find(resumeRun);
    if (ending?.ending === true) {
      await ending.gone;
    }
    const resumed =
      resumeRun === undefined
        ? undefined
        : await this.scheduler.desk.resumable(resumeRun, recipe, entrypoint);
    // The client that hears a run's result may ask for the next before the last write of this one.
    while (this.accepting !== undefined || this.scheduler.run?.ending === true) {
      await (this.accepting?.catch(() => undefined) ?? this.scheduler.run?.gone);
    }
    const known = params.sweep === undefined ? undefined : this.sweepRuns.get(placeKey(params.sweep));
    if (known !== undefined) {
      return { runId: known };
    }
    this.refuseUnlessFree(params);
    this.idle.pause();
    this.warmLimit.busy();
    // Its data may have taken longer to send than the container to warm up.
    const isStartedForIt = this.scheduler.run === undefined && this.options.spawnedAt >= askedAt;
    const facts: NewRun = {
      recipe,
      program,
      ...(entrypoint === undefined ? {} : { entrypoint }),
      params: resumed?.record.params ?? checked,
      target: this.options.target,
      containerId: this.containerId,
      // One that waits for another finds the container warm.
      start: this.scheduler.willBeWarm(program) && !isStartedForIt ? 'warm' : 'cold',
      askedAt,
      resumedDir: resumed?.dir ?? null,
      ...(resumed === undefined ? {} : { resumedFrom: resumed.record.runId }),
      ...(params.sweep === undefined ? {} : { sweep: params.sweep }),
    };
    this.accepting = this.accept(facts, { phases: params.phases ?? [], sent: params.sent ?? {} });
    try {
      const { runId } = await this.accepting;
      if (params.sweep !== undefined) {
        this.sweepRuns.set(placeKey(params.sweep), runId);
      }
      if (this.problem !== null) {
        void this.scheduler.failAll('enter_failed', this.problem);
      }
      return { runId };
    } finally {
      this.accepting = undefined;
      this.changed();
      this.scheduler.dispatch();
    }
  }

  /** @throws JSONRPCErrorException if the container has a run and the client will not wait, or takes none any more */
  private refuseUnlessFree({ whenBusy }: MethodParams<'train'>): void {
    const { run, queue } = this.scheduler;
    if (this.cooling) {
      throw refusal(ErrorCode.busy, 'The container is being let go. Try again in a moment.');
    }
    if (this.frozen) {
      throw refusal(ErrorCode.busy, 'A snapshot of the container is being made. Try again in a moment.');
    }
    if (run !== undefined && whenBusy !== 'queue') {
      throw refusal(
        ErrorCode.busy,
        `The container trains run ${run.runId} already. Wait for it to end, stop it first, or queue the new run.`,
        { runId: run.runId },
      );
    }
    if (queue.length >= MAX_QUEUE) {
      throw refusal(
        ErrorCode.busy,
        `${queue.length} runs wait already, which is as many as the queue takes.`,
      );
    }
  }

  private async accept(facts: NewRun, done: DoneBefore): Promise<ActiveRun> {
    const { dataDir, engine, outputsDir } = this.options;
    // The recipes in Python cannot draw it.
    if (facts.params.data_dir === SAMPLE_DATA_SET && mayBeTorch(facts.program, engine)) {
      await ensureSampleDataset(dataDir).catch((error: unknown) => {
        throw refusal(ErrorCode.volume, volumeMessage(dataDir, errorText(error)));
      });
    }
    try {
      return await this.scheduler.add(facts, done);
    } catch (error) {
      if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
        throw refusal(ErrorCode.volume, volumeMessage(outputsDir, error.message));
      }
      throw error;
    }
  }

  private async stop(runId: string, kill: boolean): Promise<Record<string, never>> {
    const run = this.scheduler.find(runId);
    if (run === undefined) {
      throw refusal(
        ErrorCode.noSuchRun,
        `The container does not train run ${runId}: it has ended or never was.`,
      );
    }
    this.scheduler.stop(run, kill);
    if (run.ending) {
      await run.gone;
    }
    return {};
  }

  /**
   * A failed enter hook would fail again: the container ends, so that the next start is a fresh one. It may have failed
   * before who started the container was there to hear why.
   */
  private async enterFailed(message: string, location: Location | undefined): Promise<void> {
    this.problem = message;
    this.broadcastStatus();
    await this.scheduler.failAll('enter_failed', message, location);
    if (![...this.sessions].some((session) => session.hasGreeted)) {
      await new Promise<void>((resolve) => {
        const impatience = setTimeout(resolve, HEARD_WITHIN_MS);
        this.statusAsked = () => {
          clearTimeout(impatience);
          // The answer goes out first.
          setImmediate(resolve);
        };
      });
    }
    await this.cool();
  }

  /** With nothing to do the scaledown window counts from here. */
  private changed(): void {
    this.countIdleness();
    this.broadcastStatus();
  }

  private countIdleness(): void {
    const { trainer, run } = this.scheduler;
    this.usage.note(trainer.isReady, run?.dispatched === true);
    if (this.hasWork || !trainer.isReady || this.cooling || this.frozen) {
      this.idle.pause();
      this.warmLimit.busy();
      return;
    }
    if (this.idle.remainingMs() === null) {
      this.idle.restart();
    }
    this.warmLimit.idle();
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

function placeKey({ sweepId, trial, attempt }: SweepPlace): string {
  return `${sweepId}/${trial}/${attempt}`;
}
