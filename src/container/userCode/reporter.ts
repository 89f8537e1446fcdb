import { basename } from 'node:path';
import type { LogLevel, RunEventBody } from '../../protocol/events';
import type { WatchedFile } from './fileWatch';
import { LogBudget } from './logBudget';
import type { LineMetrics } from './metricLines';
import { readMetrics } from './metricLines';

const EPOCH_NAMES = [
  'train_loss',
  'train_acc',
  'val_loss',
  'val_acc',
  'lr',
  'images_per_second',
  'time_s',
] as const;

/** What `log` takes: places by their names, and any metric by its own. */
export type Metrics = Readonly<Record<string, unknown>>;

/** The user asked the run to stop; thrown out of `log`, so that code that knows nothing of it stops as well. */
export class StopRequested extends Error {
  override readonly name = 'StopRequested';
}

/** What the code says of a file. */
export interface CheckpointFacts {
  epoch?: number | undefined;
  val_acc?: number | undefined;
}

const MOST_MARKS = 2000;

export interface ReporterDeps {
  signal: AbortSignal;
  patterns: readonly RegExp[];
  emit: (event: RunEventBody) => void;
  firstStep: () => void;
}

/** Turns what the user's code says into events of its run. */
export class Reporter {
  private readonly epochValues: Record<string, number> = {};
  private epoch = 0;
  private epochs = 0;
  private steps = 0;
  private stepped = false;
  private logged = false;
  private bestAccuracy: number | null = null;
  /** When epochs were named, by what is said of one as a whole (`isEnd`) or in its course. */
  private readonly marks: { time: number; epoch: number; isEnd: boolean }[] = [];
  private newestFile: string | undefined;
  private bestFile: string | undefined;

  /** A flood of prints leaves what is wrong its place. */
  private readonly ordinary: LogBudget;
  private readonly trouble: LogBudget;

  constructor(private readonly deps: ReporterDeps) {
    const tell = (level: LogLevel, text: string): void => deps.emit({ type: 'log', level, text });
    this.ordinary = new LogBudget(tell);
    this.trouble = new LogBudget(tell);
  }

  /** The best validation accuracy so far. */
  get best(): number | null {
    return this.bestAccuracy;
  }

  /** A line that the code has printed. */
  line(level: LogLevel, text: string): void {
    const isTrouble = level === 'warning' || level === 'error';
    (isTrouble ? this.trouble : this.ordinary).take(level, text);
    const read = this.logged ? undefined : readMetrics(text, this.deps.patterns);
    if (read !== undefined) {
      this.tell(read, true);
    }
  }

  /** The code has ended: tells what is left to be told. */
  close(): void {
    this.ordinary.close();
    this.trouble.close();
  }

  /** @throws StopRequested once the run is to stop */
  log(metrics: Metrics): void {
    this.logged = true;
    const read: LineMetrics = { values: {} };
    for (const [name, value] of Object.entries(metrics)) {
      if (typeof value === 'number' && Number.isFinite(value)) {
        if (name === 'epoch' || name === 'epochs' || name === 'step' || name === 'steps') {
          read[name] = Math.max(0, Math.round(value));
        } else {
          read.values[name] = value;
        }
      }
    }
    this.tell(read, false);
    if (this.deps.signal.aborted) {
      throw new StopRequested('The run was asked to stop.');
    }
  }

  /** A file of the run, told by the code itself or found where it writes. */
  file({ file, bytes, writtenAt }: WatchedFile, { epoch, val_acc }: CheckpointFacts = {}): void {
    const isBest = /best/i.test(basename(file));
    this.newestFile = file;
    this.bestFile = isBest ? file : this.bestFile;
    this.deps.emit({
      type: 'checkpoint',
      kind: 'file',
      file,
      bytes,
      epoch: epoch ?? this.epochOf(writtenAt),
      val_acc: val_acc ?? null,
    });
  }

  /** The file that the run has come to, by its path inside the run's folder. */
  get output(): string | undefined {
    return this.bestFile ?? this.newestFile;
  }

  /**
   * The epoch that a file of that time is of. What is said of a whole epoch is said at its end, be it after or before its
   * file is written: the nearer one counts.
   */
  private epochOf(time: number): number {
    const before = this.marks.findLast((mark) => mark.time <= time);
    const after = this.marks.find((mark) => mark.time > time);
    const isUnderWay = before !== undefined && !before.isEnd;
    const isNear = after !== undefined && (before === undefined || after.time - time < time - before.time);
    return isNear && after.isEnd && !isUnderWay ? after.epoch : (before?.epoch ?? 0);
  }

  private tell({ epoch, epochs, step, steps, values }: LineMetrics, isLine: boolean): void {
    const { emit, firstStep } = this.deps;
    if (!this.stepped) {
      this.stepped = true;
      firstStep();
    }
    const fromLog = isLine ? { fromLog: true as const } : {};
    this.epochs = epochs ?? this.epochs;
    const accuracy = values.val_acc;
    if (accuracy !== undefined && (this.bestAccuracy === null || accuracy > this.bestAccuracy)) {
      this.bestAccuracy = accuracy;
    }
    const others = { ...values };
    if (epoch !== undefined) {
      if (epoch !== this.epoch) {
        this.epoch = epoch;
        this.marks.push({ time: Date.now(), epoch, isEnd: step === undefined });
        this.marks.splice(0, this.marks.length - MOST_MARKS);
        Object.keys(this.epochValues).forEach((name) => Reflect.deleteProperty(this.epochValues, name));
      }
      const known = EPOCH_NAMES.filter((name) => values[name] !== undefined);
      // Metrics of one epoch that are told apart are one row.
      known.forEach((name) => {
        this.epochValues[name] = values[name] ?? 0;
        Reflect.deleteProperty(others, name);
      });
      if (known.length > 0 && step === undefined) {
        emit({ type: 'epoch', epoch, epochs: this.epochs, ...this.epochValues, ...fromLog });
      }
    }
    this.steps = step ?? this.steps + 1;
    const rest = step === undefined ? others : values;
    if (Object.keys(rest).length > 0) {
      const place = epoch === undefined ? {} : { epoch };
      const at = epoch !== undefined && step === undefined ? 0 : this.steps;
      emit({ type: 'metrics', ...place, step: at, steps: steps ?? 0, values: rest, ...fromLog });
    }
  }
}
