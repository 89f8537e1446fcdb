import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent, RunEventBody } from '../../protocol/events';
import type { ParameterValues } from '../../protocol/parameters';
import type { Program } from '../../protocol/program';
import type { Location, RunRecord, RunResult } from '../../protocol/run';
import { checkpointOf } from '../../protocol/run';
import { scoreOf } from '../../protocol/runView';
import { EventLogWriter } from '../../volume/eventLog';
import type { OutputsVolume } from '../../volume/outputsVolume';
import { RUN_FILES } from '../../volume/outputsVolume';
import type { Ended } from '../trainerProtocol';
import type { EventSource } from './subscription';
import { TrainingLog } from '../../volume/trainingLog';

export interface ActiveRunListener {
  /** The event can be read from the run's source. */
  appended(event: RunEvent): void;
  recordChanged(record: RunRecord): void;
  /** The volume cannot be written any more; told once. */
  volumeFailed(run: ActiveRun, error: Error): void;
}

const HOUR_MS = 3_600_000;

export type Outcome = Omit<Ended, 'type' | 'runId'>;

/** A run that the container works on or will: keeps its log and its run.json in step with what happens. */
export class ActiveRun {
  private readonly log: EventLogWriter;
  private readonly text: TrainingLog;
  private writing: Promise<void> = Promise.resolve();
  private lastSeq = 0;
  private volumeHasFailed = false;
  private recordIsStored = true;
  /** Each epoch that was the best until then. */
  private bests: NonNullable<RunRecord['best']>[] = [];
  /** What the volume did not take, so that clients hear of the end of a run whose log cannot be written. */
  private readonly unstored: RunEvent[] = [];
  private leave: () => void = () => undefined;
  progress = { epoch: 0, epochs: 0, step: 0, steps: 0 };
  stopRequested = false;
  /** How the run ends once the trainer has stopped it, if not as `stopped`. */
  forcedEnd: Outcome | undefined;
  /** Folder of the run that this one goes on with; null if it began anew. */
  resumedDir: string | null = null;
  /** The parameters as the trainer takes them: paths of this machine in place of the user's. */
  paths: ParameterValues = {};
  /** From 1; it grows with every retry. */
  attempt = 1;
  /** It takes no more events. */
  ending = false;
  /** The trainer has it. */
  dispatched = false;
  /** When the trainer first got it, by this process's clock. */
  dispatchedAt: number | undefined;
  /** Resolves once the container is done with the run, after its last write. */
  readonly gone = new Promise<void>((resolve) => {
    this.leave = resolve;
  });

  /** @throws Error if its files cannot be made */
  constructor(
    private readonly volume: OutputsVolume,
    readonly dir: string,
    public record: RunRecord,
    /** When the user asked for it or its turn came, milliseconds since the epoch. */
    public askedAt: number,
    readonly program: Program,
    private readonly listener: ActiveRunListener,
  ) {
    this.log = new EventLogWriter(this.source.path, record.runId);
    this.text = new TrainingLog(join(dir, RUN_FILES.log));
  }

  get runId(): string {
    return this.record.runId;
  }

  /** Where subscriptions read the run's events. */
  get source(): EventSource {
    return { path: join(this.dir, RUN_FILES.events), unstored: this.unstored };
  }

  /** Whether the volume has everything. */
  get isStored(): boolean {
    return this.unstored.length === 0 && this.recordIsStored;
  }

  /** Folder of the newest checkpoint to go on from: its own, or else that of the run which it goes on with. */
  get resumeDir(): string | null {
    return existsSync(join(this.dir, RUN_FILES.last)) ? this.dir : this.resumedDir;
  }

  /** What a run that ends without the trainer's word has saved. */
  get saved(): Pick<RunResult, 'output' | 'val_acc'> {
    const hasBest = this.record.checkpoints.some((checkpoint) => checkpoint.kind === 'best');
    return {
      output: hasBest ? join(this.dir, RUN_FILES.best) : null,
      val_acc: this.record.best?.val_acc ?? null,
    };
  }

  /** How the run ends if it fails for this reason. @param code as in RunError */
  failure(code: string, message: string, location?: Location): Outcome {
    const place = location === undefined ? {} : { location };
    return { status: 'failed', ...this.saved, error: { code, message, ...place } };
  }

  /** Stores the event, then passes it on, then brings the record up to date. */
  append(body: RunEventBody): void {
    this.lastSeq += 1;
    const event: RunEvent = { runId: this.runId, seq: this.lastSeq, time: Date.now(), ...body };
    const failure = this.store(event);
    this.listener.appended(event);
    this.reflect(event);
    if (failure !== undefined) {
      this.failed(failure);
    }
  }

  /** Ends the run. No event follows. */
  async end({ status, output, val_acc, returned, error }: Outcome, pricePerHour = 0): Promise<void> {
    const result: RunResult = {
      status,
      output,
      val_acc,
      start: this.record.start,
      time_to_first_step_ms: this.record.timeToFirstStepMs ?? null,
      ...(returned === undefined ? {} : { returned }),
      ...(error === undefined ? {} : { error }),
    };
    this.append({ type: 'result', ...result });
    const trainingMs = this.dispatchedAt === undefined ? 0 : performance.now() - this.dispatchedAt;
    const cost = pricePerHour > 0 ? { cost: (pricePerHour * trainingMs) / HOUR_MS } : {};
    this.update({ state: status, result, endedAt: new Date().toISOString(), trainingMs, ...cost });
    await this.writing;
    this.discard();
  }

  /** Lets its files go. */
  discard(): void {
    try {
      this.log.close();
    } catch (error) {
      console.error(error);
    }
  }

  /** To be called when the container is done with the run. */
  markGone(): void {
    this.leave();
  }

  /** Tries again to store what the volume did not take. @returns whether it has everything now */
  async storeRest(): Promise<boolean> {
    try {
      if (this.unstored.length > 0) {
        const log = new EventLogWriter(this.source.path, this.runId);
        try {
          for (const event of this.unstored) {
            log.write(event);
            this.text.append(event);
          }
        } finally {
          log.close();
        }
      }
      await this.volume.writeRecord(this.dir, this.record);
      return true;
    } catch {
      return false;
    }
  }

  /** Changes the record, tells the clients, writes run.json behind. */
  update(change: Partial<RunRecord>): void {
    this.record = { ...this.record, ...change };
    const { record } = this;
    this.listener.recordChanged(record);
    this.writing = this.writing.then(async () => {
      // A newer state that is waiting already is written in its turn.
      if (record !== this.record) {
        return;
      }
      try {
        await this.volume.writeRecord(this.dir, record);
        this.recordIsStored = true;
      } catch (error) {
        this.recordIsStored = false;
        this.failed(error);
      }
    });
  }

  /** What came after that epoch is lost. */
  private cutBack(epoch: number): void {
    this.bests = this.bests.filter((best) => best.epoch <= epoch);
    const best = this.bests.at(-1);
    const record = { ...this.record };
    delete record.best;
    this.record = record;
    this.update(best === undefined ? {} : { best });
  }

  /** @returns why it could not be stored, if it could not */
  private store(event: RunEvent): unknown {
    let failure: unknown;
    if (this.unstored.length === 0) {
      try {
        this.log.write(event);
        this.text.append(event);
        return undefined;
      } catch (error) {
        failure = error;
      }
    }
    this.unstored.push(event);
    return failure;
  }

  private failed(error: unknown): void {
    if (!this.volumeHasFailed) {
      this.volumeHasFailed = true;
      this.listener.volumeFailed(this, error instanceof Error ? error : new Error(String(error)));
    }
  }

  private reflect(event: RunEvent): void {
    switch (event.type) {
      case 'engine':
        this.update({ engine: event.engine, device: event.device });
        break;
      case 'state':
        this.update({ state: event.state });
        break;
      case 'first_step':
        this.update({ timeToFirstStepMs: event.time_to_first_step_ms });
        break;
      case 'step':
        this.progress = { epoch: event.epoch, epochs: event.epochs, step: event.step, steps: event.steps };
        break;
      case 'epoch':
      case 'metrics': {
        const score = scoreOf(event);
        if (
          score !== undefined &&
          (this.record.best === undefined || score.val_acc > this.record.best.val_acc)
        ) {
          this.bests.push(score);
          this.update({ best: score });
        }
        break;
      }
      case 'files':
        this.update({ files: event.files });
        break;
      case 'resumed':
        this.cutBack(event.epoch);
        break;
      case 'checkpoint': {
        const checkpoint = checkpointOf(event);
        const others = this.record.checkpoints.filter(({ file }) => file !== checkpoint.file);
        this.update({ checkpoints: [...others, checkpoint] });
        break;
      }
      case 'run':
      case 'phase':
      case 'log':
      case 'dataset':
      case 'sample':
      case 'device':
      case 'held_memory':
      case 'restart_needed':
      case 'result':
        break;
    }
  }
}
