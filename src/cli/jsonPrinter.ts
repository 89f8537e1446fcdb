import type { RunEvent } from '../protocol/events';
import type { RunError, RunResult } from '../protocol/run';
import type { RunView } from '../protocol/runView';
import type { ResultLine, RunPrinter } from './runPrinter';
import type { SendProgress } from '../transfer/sendFolder';
import { SendingText } from './sendingText';
import type { Terminal } from './terminal';
import { jsonLine, plainLines } from './text';

/** To stdout one event a line and last the result; what is for a person goes to stderr. */
export class JsonPrinter implements RunPrinter {
  private readonly sendingText: SendingText;

  constructor(private readonly terminal: Terminal) {
    this.sendingText = new SendingText(terminal);
  }

  starting(): void {
    // Programs wait without being told to.
  }

  sending(progress: SendProgress | undefined): void {
    this.sendingText.take(progress);
  }

  detached(runId: string): void {
    this.terminal.line(jsonLine({ status: 'detached', run_id: runId }));
  }

  event(event: RunEvent): void {
    this.terminal.line(jsonLine(event));
  }

  notice(text: string): void {
    this.terminal.message(plainLines(text));
  }

  ended(
    { status, output, val_acc, start, time_to_first_step_ms, returned, error }: RunResult,
    view: RunView,
  ): void {
    this.result({
      status,
      output,
      val_acc,
      start,
      time_to_first_step_ms,
      run_id: view.runId,
      ...(returned === undefined ? {} : { returned }),
      ...(error === undefined ? {} : { error }),
    });
  }

  failed(error: RunError, runId: string | undefined): void {
    this.terminal.message(plainLines(error.message));
    this.result({
      status: 'failed',
      output: null,
      val_acc: null,
      start: null,
      time_to_first_step_ms: null,
      ...(runId === undefined ? {} : { run_id: runId }),
      error,
    });
  }

  private result(line: ResultLine): void {
    this.terminal.line(jsonLine(line));
  }
}
