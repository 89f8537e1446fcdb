import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ContainerState, ContainerStatus } from '../../protocol/container';
import type { Phase } from '../../protocol/events';
import { checkParameters, ParameterError } from '../../protocol/parameters';
import { findRecipe } from '../../protocol/recipes';
import type { ContainerSettings, MethodParams } from '../../protocol/rpc';
import { ErrorCode } from '../../protocol/rpc';
import type { RunError, RunRecord, RunResult } from '../../protocol/run';
import { RUN_RECORD_VERSION, isFinal } from '../../protocol/run';
import type { StartOptions } from '../../targets/local/startOptions';
import { OutputsVolume, RUN_FILES } from '../../volume/outputsVolume';
import { applyRetention } from '../../volume/retention';
import type { Ended, FromTrainer } from '../trainerProtocol';
import { ActiveRun } from './activeRun';
import { IdleTimer } from './idleTimer';
import type { Handlers, Session } from './session';
import { refusal } from './session';
import { TrainerProcess } from './trainerProcess';

/** How long a run may take to stop when the container is cooled, before its trainer is killed. */
const STOP_GRACE_MS = 10_000;

/** The heart of a container: one trainer, at most one run at a time, any number of clients. */
export class Supervisor {
  readonly containerId = randomUUID();
  readonly sessions = new Set<Session>();
  private readonly volume: OutputsVolume;
  private readonly startedAt = new Date().toISOString();
  private readonly idle: IdleTimer;
  private state: ContainerState = 'warming';
  private trainer: TrainerProcess | undefined;
  private ready = false;
  /** The trainer still works on a run, be it one that has ended for the clients. */
  private trainerBusy = false;
  private engine = '';
  private device = '';
  private phases: Phase[] = [];
  private settings: ContainerSettings;
  private run: ActiveRun | undefined;
  private runs = 0;
  private problem: string | null = null;
  private idleWaiters: (() => void)[] = [];

  /** @param exit called once when the container has to end; cleans up and leaves */
  constructor(
    private readonly options: StartOptions,
    private readonly version: string,
    private readonly bundleDir: string,
    private readonly exit: () => void,
  ) {
    this.volume = new OutputsVolume(options.outputsDir);
    this.settings = options.settings;
    this.idle = new IdleTimer(options.settings.scaledownWindowMs, () => void this.cool());
  }

  /** Starts the trainer, whose enter hook makes the container warm. */
  warm(spawnedAt: number): void {
    this.ready = false;
    this.trainerBusy = false;
    this.phases = [];
    this.setState('warming');
    const trainer = new TrainerProcess(join(this.bundleDir, 'trainer.js'));
    this.trainer = trainer;
    trainer.on('message', (message) => this.heard(message));
    trainer.once('exit', (cause) => void this.trainerDied(trainer, cause));
    trainer.send({
      type: 'enter',
      engine: this.options.engine,
      wasmDir: join(this.bundleDir, 'wasm'),
      enginesDir: this.options.enginesDir,
      dataDir: this.options.dataDir,
      hint: this.options.hint,
      spawnedAt,
    });
  }

  /** What clients may ask; `hello`, `attach` and `detach` are the session's own. */
  readonly handlers: Handlers = {
    status: () => this.status(),
    train: (params) => this.train(params),
    stop: async ({ runId, kill }) => {
      const run = this.activeRun(runId);
      await this.stop(run, kill === true);
      return {};
    },
    runs: async () => {
      const stored = await this.volume.listRuns();
      return {
        runs: stored.map(({ record }) => (record.runId === this.run?.runId ? this.run.record : record)),
      };
    },
    pin: ({ runId, pinned }) => this.pin(runId, pinned),
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
    logPath: async (runId) => {
      const dir = this.run?.runId === runId ? this.run.dir : await this.volume.findRun(runId);
      if (dir === undefined) {
        throw noSuchRun(runId);
      }
      return join(dir, RUN_FILES.events);
    },
  };

  /** Stops the run, if there is one, then lets the container go. */
  async cool(): Promise<void> {
    if (this.state === 'cooling') {
      return;
    }
    this.idle.pause();
    const { run } = this;
    this.setState('cooling');
    if (run !== undefined) {
      const impatience = setTimeout(() => this.trainer?.kill(), STOP_GRACE_MS);
      const ended = new Promise<void>((resolve) => this.idleWaiters.push(resolve));
      await this.stop(run, false);
      await ended;
      clearTimeout(impatience);
    }
    this.trainer?.removeAllListeners();
    this.trainer?.kill();
    this.exit();
  }

  private status(): ContainerStatus {
    const { run } = this;
    const last = this.phases.filter((phase) => phase.within === undefined).at(-1);
    return {
      containerId: this.containerId,
      version: this.version,
      state: this.state,
      pid: process.pid,
      trainerPid: this.trainer?.pid ?? null,
      engine: this.engine,
      device: this.device,
      outputsDir: this.options.outputsDir,
      dataDir: this.options.dataDir,
      startedAt: this.startedAt,
      enter: {
        phases: this.phases,
        totalMs: this.ready && last !== undefined ? last.startMs + last.durationMs : null,
      },
      run: run === undefined ? null : { runId: run.runId, recipe: run.record.recipe, ...run.progress },
      scaledownWindowMs: this.settings.scaledownWindowMs,
      idleRemainingMs: this.idle.remainingMs(),
      runs: this.runs,
      rssBytes: process.memoryUsage.rss(),
      problem: this.problem,
    };
  }

  private async train({ recipe, params, waitedMs = 0 }: MethodParams<'train'>): Promise<{ runId: string }> {
    const now = new Date();
    if (this.run !== undefined || this.state === 'cooling') {
      const message =
        this.run === undefined
          ? 'The container is being let go. Try again in a moment.'
          : `The container trains run ${this.run.runId} already. Wait for it to end, or stop it first.`;
      throw refusal(ErrorCode.busy, message, { runId: this.run?.runId });
    }
    const spec = findRecipe(recipe);
    if (spec === undefined) {
      throw refusal(ErrorCode.badParameters, `There is no recipe "${recipe}".`);
    }
    const checked = check(() => checkParameters(spec, params));
    const start = this.ready ? 'warm' : 'cold';
    this.idle.pause();
    const run = await this.createRun(recipe, checked, start, now, now.getTime() - waitedMs);
    run.append({ type: 'run', recipe, params: checked, start, containerId: this.containerId });
    run.append({ type: 'state', state: 'queued' });
    this.dispatch();
    return { runId: run.runId };
  }

  private async createRun(
    recipe: string,
    params: RunRecord['params'],
    start: RunRecord['start'],
    now: Date,
    askedAt: number,
  ): Promise<ActiveRun> {
    try {
      const { runId, dir } = await this.volume.createRun(recipe, now);
      const record: RunRecord = {
        schemaVersion: RUN_RECORD_VERSION,
        runId,
        recipe,
        params,
        engine: '',
        device: '',
        target: this.options.target,
        containerId: this.containerId,
        start,
        state: 'queued',
        createdAt: new Date(askedAt).toISOString(),
        checkpoints: [],
        pinned: false,
      };
      await this.volume.writeRecord(dir, record);
      const run = new ActiveRun(this.volume, dir, record, askedAt, {
        appended: (event) => {
          for (const session of this.sessions) {
            session.wake(event.runId);
          }
        },
        recordChanged: (changed) => this.broadcastRun(changed),
        volumeFailed: (error) => void this.volumeFailed(error),
      });
      // Two clients may have asked at once: the first has it.
      if (this.run !== undefined) {
        await run.end(this.resultOf(run, { status: 'stopped', output: null, val_acc: null }));
        throw refusal(ErrorCode.busy, `The container trains run ${this.run.runId} already.`, {
          runId: this.run.runId,
        });
      }
      this.run = run;
      this.broadcastRun(record);
      return run;
    } catch (error) {
      this.rest();
      if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
        throw refusal(
          ErrorCode.volume,
          `The outputs volume "${this.volume.root}" cannot be written (${error.message}). Make room or make it writable, then train again.`,
        );
      }
      throw error;
    }
  }

  /** Hands the run to the trainer as soon as there is a warm one. */
  private dispatch(): void {
    const { run, trainer } = this;
    if (run === undefined || trainer === undefined || !this.ready || this.trainerBusy || run.dispatched) {
      return;
    }
    this.trainerBusy = true;
    run.dispatched = true;
    if (run.record.start === 'cold') {
      const shiftMs = this.options.spawnedAt - run.askedAt;
      for (const phase of this.phases) {
        run.append({ type: 'phase', phase: { ...phase, startMs: phase.startMs + shiftMs } });
      }
    }
    run.append({ type: 'engine', engine: this.engine, device: this.device });
    run.append({ type: 'state', state: 'preparing' });
    this.setState('training');
    trainer.send({
      type: 'run',
      runId: run.runId,
      recipe: run.record.recipe,
      params: run.record.params,
      runDir: run.dir,
      outputsDir: this.options.outputsDir,
      dataDir: this.options.dataDir,
      askedAt: run.askedAt,
    });
  }

  private heard(message: FromTrainer): void {
    const { run } = this;
    switch (message.type) {
      case 'phase':
        this.phases = [...this.phases, message.phase];
        this.broadcastStatus();
        break;
      case 'log':
        console.log(`${message.level}: ${message.text}`);
        run?.append(message);
        break;
      case 'ready':
        this.ready = true;
        this.engine = message.engine;
        this.device = message.device;
        this.rest();
        this.dispatch();
        break;
      case 'enterFailed':
        void this.enterFailed(message.message);
        break;
      case 'event':
        if (run?.runId === message.runId) {
          run.append(message.event);
        }
        break;
      case 'firstStep':
        if (run?.runId === message.runId) {
          run.append({ type: 'first_step', time_to_first_step_ms: Date.now() - run.askedAt });
        }
        break;
      case 'ended':
        this.trainerBusy = false;
        if (run?.runId === message.runId) {
          void this.endRun(message);
        } else {
          this.dispatch();
        }
        break;
    }
  }

  private async stop(run: ActiveRun, kill: boolean): Promise<void> {
    if (kill && run.stopRequested) {
      this.trainer?.kill();
      return;
    }
    if (run.stopRequested) {
      return;
    }
    run.stopRequested = true;
    if (!run.dispatched) {
      await this.endRun({ status: 'stopped', output: null, val_acc: null });
      return;
    }
    run.append({ type: 'state', state: 'stopping' });
    if (kill) {
      this.trainer?.kill();
    } else {
      this.trainer?.send({ type: 'stop' });
    }
  }

  private async endRun(ended: Outcome): Promise<void> {
    const { run } = this;
    if (run === undefined || run.ending) {
      return;
    }
    run.ending = true;
    if (ended.error !== undefined) {
      run.append({ type: 'log', level: 'error', text: ended.error.message });
    }
    // The run no longer takes events, and its successor may come once its record is written.
    await this.retain(run);
    await run.end(this.resultOf(run, ended));
    this.run = undefined;
    this.runs += 1;
    if (this.state !== 'cooling') {
      this.rest();
    }
    for (const resolve of this.idleWaiters.splice(0)) {
      resolve();
    }
  }

  private resultOf(run: ActiveRun, { status, output, val_acc, error }: Outcome): RunResult {
    return {
      status,
      output,
      val_acc,
      start: run.record.start,
      time_to_first_step_ms: run.record.timeToFirstStepMs ?? null,
      ...(error === undefined ? {} : { error }),
    };
  }

  private async retain(run: ActiveRun): Promise<void> {
    try {
      const removed = await applyRetention(this.volume, run.record.recipe, this.settings.keepDates);
      if (removed.length > 0) {
        const text =
          `Retention keeps the checkpoints of the newest ${this.settings.keepDates} dates and removed ` +
          `${removed.length} older file${removed.length === 1 ? '' : 's'}: ${removed.join(', ')}`;
        run.append({ type: 'log', level: 'info', text });
      }
    } catch (error) {
      run.append({
        type: 'log',
        level: 'warning',
        text: `Old checkpoints could not be removed: ${String(error)}`,
      });
    }
  }

  /** A failed enter hook would fail again: the container ends, so that the next start is a fresh one. */
  private async enterFailed(message: string): Promise<void> {
    this.problem = message;
    this.trainer?.removeAllListeners();
    this.trainer?.kill();
    await this.failRun({ code: 'enter_failed', message });
    this.broadcastStatus();
    await this.cool();
  }

  private async trainerDied(trainer: TrainerProcess, cause: string): Promise<void> {
    if (trainer !== this.trainer) {
      return;
    }
    console.error(`the trainer is gone: ${cause}`);
    if (!this.ready) {
      await this.enterFailed(`The trainer died while it warmed up: ${cause}.`);
      return;
    }
    this.trainer = undefined;
    this.ready = false;
    const { run } = this;
    if (run?.stopRequested === true) {
      await this.endRun({ status: 'stopped', ...savedBy(run) });
    } else {
      await this.failRun({
        code: 'trainer_died',
        message: `The trainer died in the middle of the run: ${cause}. What was saved is kept; a new trainer warms up.`,
      });
    }
    if (this.state !== 'cooling') {
      this.warm(Date.now());
    }
  }

  private async volumeFailed(error: Error): Promise<void> {
    this.trainer?.send({ type: 'stop' });
    await this.failRun({
      code: 'volume',
      message: `The outputs volume "${this.volume.root}" cannot be written any more (${error.message}). Make room or make it writable, then train again.`,
    });
  }

  private async failRun(error: RunError): Promise<void> {
    if (this.run !== undefined) {
      await this.endRun({ status: 'failed', ...savedBy(this.run), error });
    }
  }

  private async pin(runId: string, pinned: boolean): Promise<RunRecord> {
    if (this.run?.runId === runId) {
      this.run.update({ pinned });
      return this.run.record;
    }
    const dir = await this.volume.findRun(runId);
    const record = dir === undefined ? undefined : await this.volume.readRecord(dir);
    if (dir === undefined || record === undefined || !isFinal(record.state)) {
      throw noSuchRun(runId);
    }
    const changed = { ...record, pinned };
    await this.volume.writeRecord(dir, changed);
    this.broadcastRun(changed);
    return changed;
  }

  private activeRun(runId: string): ActiveRun {
    if (this.run?.runId !== runId) {
      throw refusal(
        ErrorCode.noSuchRun,
        `The container does not train run ${runId}: it has ended or never was.`,
      );
    }
    return this.run;
  }

  /** Warm with nothing to do, or warming: the scaledown window counts from here once it is warm. */
  private rest(): void {
    if (this.ready && this.run === undefined) {
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

type Outcome = Omit<Ended, 'type' | 'runId'>;

function savedBy(run: ActiveRun): { output: string | null; val_acc: number | null } {
  const hasBest = run.record.checkpoints.some((checkpoint) => checkpoint.kind === 'best');
  return {
    output: hasBest ? join(run.dir, RUN_FILES.best) : null,
    val_acc: run.record.best?.val_acc ?? null,
  };
}

function noSuchRun(runId: string): Error {
  return refusal(ErrorCode.noSuchRun, `The outputs volume has no run ${runId}.`);
}

function check<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ParameterError) {
      throw refusal(ErrorCode.badParameters, error.message, { problems: error.problems });
    }
    throw error;
  }
}
