import type { RunEvent } from '../protocol/events';
import type { JsonValue } from '../protocol/json';
import type { RunError, RunResult, StartKind } from '../protocol/run';
import type { RunView } from '../protocol/runView';
import type { SendProgress } from '../transfer/sendFolder';

/** Tells of a training, to a person or to a program. */
export interface RunPrinter {
  /** The container is being reached; there is no run yet. */
  starting(): void;
  /** How far the sending of data is; undefined once it has ended. */
  sending(progress: SendProgress | undefined): void;
  /** The run goes on without anybody who follows it. */
  detached(runId: string): void;
  /** @param view the run with the event applied */
  event(event: RunEvent, view: RunView): void;
  /** Something about following the run, not about the run itself. */
  notice(text: string): void;
  ended(result: RunResult, view: RunView): void;
  /** There is no run, or nobody knows how it ended. */
  failed(error: RunError, runId: string | undefined): void;
}

/** The last line of `--json`. */
export interface ResultLine {
  status: RunResult['status'];
  output: string | null;
  val_acc: number | null;
  start: StartKind | null;
  time_to_first_step_ms: number | null;
  run_id?: string;
  returned?: JsonValue;
  error?: RunError;
}
