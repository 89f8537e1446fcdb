import type { Phase, RunEvent } from '../../protocol/events';
import type { Program } from '../../protocol/program';
import { RECIPES_PROGRAM, isSameProgram, isUserProgram } from '../../protocol/program';
import type { ContainerPolicy } from '../../protocol/rpc';
import type { Location, RunRecord } from '../../protocol/run';
import { OutputsVolume } from '../../volume/outputsVolume';
import type { StartOptions } from '../../targets/local/startOptions';
import type { Ended } from '../trainerProtocol';
import { volumeMessage } from '../volumeMessage';
import type { ActiveRun, Outcome } from './activeRun';
import { pathsHere, programHere, sentFor } from './pathsHere';
import { retryDelayMs } from './retryPolicy';
import type { RunClock } from './runClock';
import { clockFor, seconds } from './runWarnings';
import type { NewRun } from './runDesk';
import { RunDesk } from './runDesk';
import type { Hint } from './trainer';
import type { TrainerListener } from './trainer';
import { Trainer } from './trainer';
import { WarmUpWatch } from './warmUpWatch';

/** Warm-ups without a run that may stall, one after the other, where stalls are stopped. */
const MAX_STALLED_WARM_UPS = 2;

/** How long a run may take to stop where somebody waits for it, before its trainer is killed. */
const STOP_GRACE_MS = 10_000;

/** What the client did for a run before the container heard of it. */
export interface DoneBefore {
  phases: readonly Phase[];
  /** Where what it sent is, below the folder of what was sent, by parameter. */
  sent: Readonly<Record<string, string>>;
}

export interface SchedulerListener {
  /** Something has changed that the status tells of. */
  changed(): void;
  appended(event: RunEvent): void;
  recordChanged(record: RunRecord): void;
  /** No run can be trained in this container. */
  enterFailed(message: string, location?: Location): void;
  /** Somebody is sending files just now. */
  isSending(): boolean;
}

/** Gives the trainer one run after the other, and a run whose trainer died another try. */
export class Scheduler {
  readonly desk: RunDesk;
  readonly trainer: Trainer;
  readonly warmUp: WarmUpWatch;
  /** Number of runs that have ended. */
  ended = 0;
  /** No run begins any more. */
  private closed = false;
  private current: ActiveRun | undefined;
  private readonly waiting: ActiveRun[] = [];
  private clock: RunClock | undefined;
  /** How many warm-ups in a row were stopped since they stalled. */
  private stalledWarmUps = 0;
  private retry: NodeJS.Timeout | undefined;
  private impatience: NodeJS.Timeout | undefined;
  private hint: Hint;
  /** Name of the code that is still on its way here: the trainer is started once it has come. */
  private awaited: string | undefined;

  constructor(
    private readonly options: StartOptions,
    bundleDir: string,
    private readonly policy: () => ContainerPolicy,
    private readonly listener: SchedulerListener,
  ) {
    const { program = RECIPES_PROGRAM, ...hint } = options.hint;
    this.awaited = sentFor(program);
    this.hint = {
      ...hint,
      params: pathsHere(hint.params, {}, options.dataDir),
      program: programHere(program, options.dataDir),
    };
    this.desk = new RunDesk(new OutputsVolume(options.outputsDir));
    this.warmUp = new WarmUpWatch(policy, {
      isSending: () => listener.isSending(),
      changed: (stalled, afterMs) => this.warmUpStalled(stalled, afterMs),
      givenUp: (afterMs) => listener.enterFailed(givenUpText(afterMs)),
    });
    this.trainer = new Trainer(options, bundleDir, {
      phase: () => {
        this.warmUp.progress();
        listener.changed();
      },
      log: (level, text, location) => {
        this.warmUp.progress();
        console.log(`${level}: ${text}`);
        const place = location === undefined ? {} : { location };
        this.taking()?.append({ type: 'log', level, text, ...place });
      },
      ready: () => {
        this.warmUp.end();
        this.stalledWarmUps = 0;
        listener.changed();
        this.dispatch();
      },
      enterFailed: (message, location) => listener.enterFailed(message, location),
      event: (runId, event) => {
        // How busy the device is comes from beside the training, which may have stopped moving.
        if (event.type !== 'device') {
          this.clock?.progress();
        }
        this.taking(runId)?.append(event);
      },
      firstStep: (runId) => this.firstStep(this.taking(runId)),
      ended: (ended) => void this.trainerEnded(ended),
      died: (death) => void this.trainerDied(death),
    });
  }

  /** The run whose turn it is. */
  get run(): ActiveRun | undefined {
    return this.current;
  }

  /** The runs that wait for their turn. */
  get queue(): readonly ActiveRun[] {
    return this.waiting;
  }

  get isStalled(): boolean {
    return this.clock?.stalled === true || this.warmUp.stalled;
  }

  find(runId: string): ActiveRun | undefined {
    return [this.current, ...this.waiting].find((run) => run?.runId === runId);
  }

  warm(spawnedAt: number): void {
    this.warmUp.begin();
    if (this.awaited === undefined) {
      this.trainer.warm(this.hint, spawnedAt);
      if (this.current !== undefined) this.trainer.hurry();
      this.listener.changed();
    }
  }

  /** What is sent under that name is here. */
  arrived(name: string): void {
    if (this.awaited === name) {
      this.awaited = undefined;
      this.warm(Date.now());
    }
  }

  /** The settings have changed. */
  configured(): void {
    this.clock?.check();
    this.warmUp.check();
  }

  /**
   * Makes a run's folder; its turn comes when those before it have ended.
   * @throws Error if the volume cannot be written
   */
  async add(facts: NewRun, { phases, sent }: DoneBefore): Promise<ActiveRun> {
    const { listener } = this;
    const run = await this.desk.open(facts, {
      appended: (event) => listener.appended(event),
      recordChanged: (record) => listener.recordChanged(record),
      volumeFailed: (failed, error) => this.volumeFailed(failed, error),
    });
    const { recipe, entrypoint, params, start, containerId, resumedFrom } = facts;
    run.paths = pathsHere(params, sent, this.options.dataDir);
    const before = this.current;
    if (before === undefined) {
      this.current = run;
    } else {
      this.waiting.push(run);
    }
    listener.recordChanged(run.record);
    const resumed = resumedFrom === undefined ? {} : { resumedFrom };
    const code = entrypoint === undefined ? {} : { entrypoint };
    run.append({ type: 'run', recipe, ...code, params, start, containerId, ...resumed });
    const message = before === undefined ? {} : { message: `Waits for run ${before.runId} to end` };
    run.append({ type: 'state', state: 'queued', ...message });
    for (const phase of phases) {
      run.append({ type: 'phase', phase });
    }
    if (before === undefined) {
      this.prepareFor(run);
    }
    listener.changed();
    return run;
  }

  /** Hands the run to the trainer as soon as there is a warm one. */
  dispatch(): void {
    const { trainer } = this;
    const run = this.taking();
    const canTrain = trainer.isReady && !trainer.isBusy && !this.closed && this.retry === undefined;
    if (run === undefined || run.dispatched || !canTrain) {
      return;
    }
    run.dispatched = true;
    run.dispatchedAt ??= performance.now();
    if (run.record.start === 'cold' && run.attempt === 1) {
      for (const phase of trainer.enterSince(run.askedAt)) {
        run.append({ type: 'phase', phase });
      }
    }
    run.append({ type: 'engine', engine: trainer.engine, device: trainer.device });
    run.append({ type: 'state', state: 'preparing' });
    const resumeDir = run.resumeDir;
    if (run.attempt > 1 && resumeDir === null) {
      run.append({ type: 'resumed', epoch: 0, step: 0, from: null });
    }
    this.clock ??= clockFor(run, this.policy, {
      warned: () => this.listener.changed(),
      force: (outcome) => this.force(run, outcome),
    });
    this.clock.progress();
    this.listener.changed();
    const { runId, dir: runDir, askedAt, attempt } = run;
    const { recipe } = run.record;
    const { program } = run;
    trainer.run({ runId, recipe, program, params: run.paths, runDir, askedAt, attempt, resumeDir });
  }

  /** @param kill does not wait for the step */
  stop(run: ActiveRun, kill: boolean): void {
    if (run.ending) {
      return;
    }
    const isFirst = !run.stopRequested;
    run.stopRequested = true;
    if (!run.dispatched) {
      void this.end(run, run.forcedEnd ?? { status: 'stopped', ...run.saved });
      return;
    }
    if (isFirst) {
      run.append({ type: 'state', state: 'stopping' });
    }
    if (kill) {
      this.trainer.kill();
    } else if (isFirst) {
      this.trainer.stop();
      if (isUserProgram(run.program)) {
        this.killAfterGrace();
      }
    }
  }

  /** Stops every run and resolves once they have ended; from here on none begins. */
  async close(): Promise<void> {
    this.closed = true;
    this.warmUp.end();
    const runs = [...this.waiting, ...(this.current === undefined ? [] : [this.current])];
    for (const run of runs) {
      this.stop(run, false);
    }
    this.killAfterGrace();
    await Promise.all(runs.map((run) => run.gone));
    clearTimeout(this.impatience);
    await this.desk.storeHeld();
    this.trainer.dismiss();
  }

  /** Ends every run that has not ended. @param code as in RunError */
  async failAll(code: string, message: string, location?: Location): Promise<void> {
    const runs = [...this.waiting, ...(this.current === undefined ? [] : [this.current])];
    this.closed = true;
    this.warmUp.end();
    await Promise.all(runs.map((run) => this.end(run, run.failure(code, message, location))));
  }

  private async end(run: ActiveRun, outcome: Outcome): Promise<void> {
    if (run.ending) {
      return;
    }
    run.ending = true;
    if (run === this.current) {
      clearTimeout(this.retry);
      clearTimeout(this.impatience);
      this.retry = undefined;
      this.clock?.stop();
      this.clock = undefined;
    }
    if (outcome.error !== undefined) {
      const { message: text, location } = outcome.error;
      run.append({ type: 'log', level: 'error', text, ...(location === undefined ? {} : { location }) });
    }
    await this.desk.retain(run, this.policy().keepDates);
    await run.end(outcome, this.policy().pricePerHour);
    this.desk.closed(run);
    this.ended += 1;
    if (run === this.current) {
      this.current = undefined;
      this.next();
    } else {
      this.waiting.splice(this.waiting.indexOf(run), 1);
    }
    this.listener.changed();
    run.markGone();
  }

  private next(): void {
    const run = this.closed ? undefined : this.waiting.find(({ ending }) => !ending);
    if (run !== undefined) {
      this.waiting.splice(this.waiting.indexOf(run), 1);
      this.current = run;
      // Its start-up is counted from here, not from when it joined the queue.
      run.askedAt = Date.now();
      this.prepareFor(run);
      this.dispatch();
    }
  }

  /** The run's turn has come: a trainer that is warm for another program gives way. */
  private prepareFor(run: ActiveRun): void {
    const { recipe } = run.record;
    const { program, paths: params } = run;
    const isFor = this.trainer.isFor(program);
    this.hint = { recipe, params, program };
    if (this.awaited !== undefined) {
      this.awaited = undefined;
      this.warm(Date.now());
    } else if (!isFor) {
      const [before, now] = [this.trainer.program, program].map(programText);
      const text =
        before === now
          ? `The container was warm for ${before} with other settings: it warms up anew.`
          : `The container was warm for ${before}: it warms up for ${now}.`;
      run.append({ type: 'log', level: 'info', text });
      this.warm(Date.now());
    } else {
      this.trainer.hurry();
    }
  }

  /** Whether a run of this program will find the container warm, once its turn has come. */
  willBeWarm(program: Program): boolean {
    const before = [this.current, ...this.waiting].findLast((run) => run?.ending === false);
    return before === undefined
      ? this.trainer.isReady && this.trainer.isFor(program)
      : isSameProgram(before.program, program);
  }

  private async trainerEnded(ended: Ended): Promise<void> {
    const run = this.taking(ended.runId);
    if (run === undefined) {
      this.dispatch();
    } else if (ended.error?.code === 'internal' && !run.stopRequested) {
      // What a bug left of the trainer is not to be trusted.
      this.trainer.dismiss();
      await this.lost(run, 'internal', `The trainer failed: ${ended.error.message}.`);
      this.warmAgain();
    } else if (ended.status === 'stopped' && run.forcedEnd !== undefined) {
      const { output, val_acc } = ended;
      await this.end(run, { ...run.forcedEnd, output, val_acc });
    } else {
      await this.end(run, ended);
    }
  }

  private async trainerDied({
    cause,
    entered,
    isFault,
    isUsers,
  }: Parameters<TrainerListener['died']>[0]): Promise<void> {
    this.warmUp.end();
    const run = this.taking();
    if (run !== undefined && (run.dispatched || !entered)) {
      const when = run.dispatched ? 'in the middle of the run' : 'while it warmed up';
      // The user's code would crash again.
      const mayRetry = !(isUsers && isFault);
      await this.lost(run, 'trainer_died', `The trainer died ${when}: ${cause}.`, mayRetry);
    } else if (!entered) {
      this.listener.enterFailed(`The trainer died while it warmed up: ${cause}.`);
      return;
    }
    this.warmAgain();
  }

  private warmUpStalled(stalled: boolean, afterMs: number): void {
    const waiting = this.taking();
    const text = stalled
      ? `The container has made no progress warming up for ${seconds(afterMs)}.`
      : 'The container goes on warming up.';
    console.log(text);
    waiting?.append({ type: 'log', level: 'warning', text });
    // Code that is still on its way here does not come sooner for it.
    if (stalled && this.policy().stopStalled && this.awaited === undefined) {
      void this.stopWarmUp(waiting, afterMs);
    }
    this.listener.changed();
  }

  private async stopWarmUp(waiting: ActiveRun | undefined, afterMs: number): Promise<void> {
    const reason = `The trainer made no progress for ${seconds(afterMs)} while it warmed up, and was stopped.`;
    this.warmUp.end();
    this.trainer.dismiss();
    this.stalledWarmUps += 1;
    if (waiting !== undefined) {
      await this.lost(waiting, 'stalled', reason);
    } else if (this.stalledWarmUps >= MAX_STALLED_WARM_UPS) {
      this.listener.enterFailed(`${reason} So was the one before.`);
      return;
    }
    this.warmAgain();
  }

  private warmAgain(): void {
    if (!this.closed) {
      this.warm(Date.now());
    }
  }

  /** The trainer is gone in the middle of the run, which is tried again if it may. */
  private async lost(run: ActiveRun, code: string, reason: string, mayRetry = true): Promise<void> {
    const { retries } = this.policy();
    if (run.forcedEnd !== undefined || run.stopRequested || this.closed) {
      await this.end(run, run.forcedEnd ?? { status: 'stopped', ...run.saved });
      return;
    }
    if (!mayRetry || run.attempt > retries.maxRetries) {
      const tried = run.attempt === 1 ? '' : ` The run was tried ${run.attempt} times.`;
      const message = `${reason}${tried} What was saved is kept; a new trainer warms up.`;
      await this.end(run, run.failure(code, message));
      return;
    }
    const delayMs = retryDelayMs(retries, run.attempt);
    run.attempt += 1;
    run.dispatched = false;
    this.clock?.pause();
    run.append({ type: 'log', level: 'warning', text: reason });
    const message =
      `Attempt ${run.attempt} of ${retries.maxRetries + 1} begins in ${delayMs / 1000} s, ` +
      (run.resumeDir === null ? 'from the beginning' : 'from the last checkpoint');
    run.append({ type: 'state', state: 'retrying', message, retryInMs: delayMs });
    this.retry = setTimeout(() => {
      this.retry = undefined;
      this.dispatch();
    }, delayMs);
    this.listener.changed();
  }

  private volumeFailed(run: ActiveRun, error: Error): void {
    if (run.ending) {
      return;
    }
    if (run.dispatched) {
      this.trainer.stop();
    }
    void this.end(run, run.failure('volume', volumeMessage(this.options.outputsDir, error.message)));
  }

  private firstStep(run: ActiveRun | undefined): void {
    // Later attempts have one of their own, which is none of the run's.
    if (run !== undefined && run.record.timeToFirstStepMs === undefined) {
      run.append({ type: 'first_step', time_to_first_step_ms: Date.now() - run.askedAt });
    }
  }

  /** Stops a run for a reason of the container's own; a trainer that does not answer is killed. */
  private force(run: ActiveRun, outcome: Outcome): void {
    if (!run.stopRequested) {
      run.forcedEnd = outcome;
      this.stop(run, false);
    }
    if (!run.ending) {
      this.killAfterGrace();
    }
  }

  private killAfterGrace(): void {
    clearTimeout(this.impatience);
    this.impatience = setTimeout(() => this.trainer.kill(), STOP_GRACE_MS);
  }

  /** The run that takes events. @param runId only if it is this one */
  private taking(runId?: string): ActiveRun | undefined {
    const run = this.current;
    const isMeant = run !== undefined && !run.ending && (runId === undefined || run.runId === runId);
    return isMeant ? run : undefined;
  }
}

function givenUpText(afterMs: number): string {
  return `The container made no progress warming up for ${seconds(afterMs)}, the longer of the scaledown window and the stall timeout, and was let go.`;
}

function programText(program: Program): string {
  if (!isUserProgram(program)) {
    return 'the recipes';
  }
  const interpreter =
    program.kind === 'python' && program.interpreter !== '' ? program.interpreter : undefined;
  return interpreter === undefined ? program.entrypoint : `${program.entrypoint} with ${interpreter}`;
}
