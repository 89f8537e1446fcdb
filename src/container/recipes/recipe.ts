import type { LogLevel, RunEventBody } from '../../protocol/events';
import type { ParameterValues } from '../../protocol/parameters';
import type { BatchWorkers } from '../data/batchWorkers';
import type { Engine } from '../engines/engine';
import type { Learners } from '../parallel/learners';
import type { Ended } from '../trainerProtocol';

/** What enter prepared and all runs of the container share. */
export interface WarmState {
  readonly engine: Engine;
  readonly learners: Learners;
  /** Not started yet; without them the trainer's own thread makes the batches. */
  readonly batchWorkers?: BatchWorkers;
  readonly wasmDir: string;
  readonly dataDir: string;
  /** Where pretrained weights are downloaded from, ending with a slash; torchvision's server if not given. */
  readonly pretrainedUrl?: string;
}

export type TimedPhase = <T>(name: string, work: () => T | Promise<T>) => Promise<T>;

/** What the enter hook makes a recipe ready for. */
export interface Preparation {
  /** Those of the run to come, whose data may be missing. */
  readonly params: ParameterValues;
  readonly phase: TimedPhase;
  /** Whether that run waits by now: what it would do itself is left to it then. */
  readonly isAwaited: () => boolean;
}

/** One run, as its recipe sees it. */
export interface RunContext {
  readonly runId: string;
  readonly params: ParameterValues;
  readonly runDir: string;
  readonly outputsDir: string;
  /**
   * Folder of the run whose last checkpoint to go on from, which may be this run's own; null to begin anew. A recipe
   * that goes on emits `resumed`.
   */
  readonly resumeDir: string | null;
  readonly phase: TimedPhase;
  /** Aborted when the user wants the run to stop. */
  readonly stop: AbortSignal;
  readonly emit: (event: RunEventBody) => void;
  readonly log: (level: LogLevel, text: string) => void;
  /** To be called once, right after the first training step. */
  firstStepDone(): void;
}

export type Outcome = Omit<Ended, 'type' | 'runId'>;

/** What is trained. One instance lives as long as its trainer, and keeps what later runs can use again. */
export interface Recipe {
  readonly name: string;
  /** Part of the enter hook: makes ready the data and the model that the run will need. */
  prepare(preparation: Preparation): Promise<void>;
  /** Part of the enter hook's device initialisation: first allocation, dummy forward and backward passes. */
  warmUp(preparation: Preparation): Promise<void>;
  /** @throws DataError and other errors of the user's making with a message for them; others are bugs */
  train(run: RunContext): Promise<Outcome>;
}

/** A run cannot go on for a reason that the user can mend. `code` as in RunError. */
export class RunFailure extends Error {
  override readonly name = 'RunFailure';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
