import { join } from 'node:path';
import type { RunEvent, RunEventBody } from '../../protocol/events';
import type { RunRecord, RunResult } from '../../protocol/run';
import { checkpointOf } from '../../protocol/run';
import { EventLogWriter } from '../../volume/eventLog';
import type { OutputsVolume } from '../../volume/outputsVolume';
import { RUN_FILES } from '../../volume/outputsVolume';
import { TrainingLog } from './trainingLog';

export interface ActiveRunListener {
  /** The event is stored. */
  appended(event: RunEvent): void;
  recordChanged(record: RunRecord): void;
  /** The volume cannot be written any more. */
  volumeFailed(error: Error): void;
}

/** The one run that the container works on: keeps its log and its run.json in step with what happens. */
export class ActiveRun {
  private readonly log: EventLogWriter;
  private readonly text: TrainingLog;
  private writing: Promise<void> = Promise.resolve();
  private failed = false;
  progress = { epoch: 0, epochs: 0, step: 0, steps: 0 };
  stopRequested = false;
  ending = false;
  /** The trainer has it. */
  dispatched = false;

  constructor(
    private readonly volume: OutputsVolume,
    readonly dir: string,
    public record: RunRecord,
    /** When the user asked for it, milliseconds since the epoch. */
    readonly askedAt: number,
    private readonly listener: ActiveRunListener,
  ) {
    this.log = new EventLogWriter(join(dir, RUN_FILES.events), record.runId);
    this.text = new TrainingLog(join(dir, RUN_FILES.log));
  }

  get runId(): string {
    return this.record.runId;
  }

  /** Stores the event, then passes it on, then brings the record up to date. */
  append(body: RunEventBody): void {
    if (this.failed) {
      return;
    }
    let event: RunEvent;
    try {
      event = this.log.append(body);
      this.text.append(event);
    } catch (error) {
      this.failed = true;
      this.listener.volumeFailed(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.listener.appended(event);
    this.reflect(event);
  }

  /** Ends the run. No event follows. */
  async end(result: RunResult): Promise<void> {
    this.append({ type: 'result', ...result });
    this.update({ state: result.status, result, endedAt: new Date().toISOString() });
    await this.writing;
    try {
      this.log.close();
    } catch (error) {
      console.error(error);
    }
  }

  /** Changes the record, tells the clients, writes run.json behind. */
  update(change: Partial<RunRecord>): void {
    this.record = { ...this.record, ...change };
    const { record } = this;
    this.listener.recordChanged(record);
    this.writing = this.writing
      .then(async () => {
        // A newer state that is waiting already is written in its turn.
        if (record === this.record) {
          await this.volume.writeRecord(this.dir, record);
        }
      })
      .catch((error: unknown) => {
        if (!this.failed) {
          this.failed = true;
          this.listener.volumeFailed(error instanceof Error ? error : new Error(String(error)));
        }
      });
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
        if (this.record.best === undefined || event.val_acc > this.record.best.val_acc) {
          this.update({ best: { epoch: event.epoch, val_acc: event.val_acc } });
        }
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
      case 'metrics':
      case 'sample':
      case 'result':
        break;
    }
  }
}
