import type { ContainerClient } from '../client/containerClient';
import type { RunEvent } from '../protocol/events';
import type { RunResult } from '../protocol/run';
import type { RunView } from '../protocol/runView';
import { applyEvent, emptyRunView } from '../protocol/runView';
import type { CliContext } from './command';
import { ExitCode } from './errors';
import type { RunPrinter } from './runPrinter';

const EXIT_CODES = {
  completed: ExitCode.done,
  failed: ExitCode.failed,
  stopped: ExitCode.stopped,
} as const satisfies Record<RunResult['status'], ExitCode>;

/**
 * Follows one run to its end and stands between the user's Ctrl+C and it: the first (or SIGTERM) stops the run
 * gracefully, the second kills it, the third leaves it alone. A closed stdout leaves the run going.
 */
export class RunWatch {
  private view: RunView | undefined;
  private presses = 0;
  private finished = false;
  private finish: (code: ExitCode) => void = () => undefined;
  private giveUp: (error: unknown) => void = () => undefined;
  private readonly outcome = new Promise<ExitCode>((resolve, reject) => {
    this.finish = resolve;
    this.giveUp = reject;
  });
  private readonly disposers: (() => void)[] = [];

  constructor(
    private readonly client: ContainerClient,
    private readonly printer: RunPrinter,
    { terminal, onSignal }: Pick<CliContext, 'terminal' | 'onSignal'>,
  ) {
    const closed = (): void => this.end(ExitCode.outputClosed);
    terminal.closed.addEventListener('abort', closed);
    const changed = (): void => this.linkChanged();
    client.on('change', changed);
    this.disposers.push(
      onSignal(() => this.press()),
      () => terminal.closed.removeEventListener('abort', closed),
      () => client.off('change', changed),
    );
  }

  /**
   * @param begun the id of the run to follow, once the container has accepted it
   * @returns how the process has to end
   * @throws Error what `begun` was rejected with
   */
  async follow(begun: Promise<string>): Promise<ExitCode> {
    begun.then(
      (runId) => this.begin(runId),
      (error: unknown) => this.giveUp(error),
    );
    try {
      return await this.outcome;
    } finally {
      this.finished = true;
      for (const dispose of this.disposers) {
        dispose();
      }
    }
  }

  private begin(runId: string): void {
    if (this.finished) {
      return;
    }
    this.view = emptyRunView(runId);
    const following = this.client.follow(runId, 0, (events) => this.take(events));
    this.disposers.push(() => following.dispose());
    if (this.presses > 0) {
      this.stop(runId, false);
    }
  }

  private take(events: readonly RunEvent[]): void {
    const { view } = this;
    if (view === undefined || this.finished) {
      return;
    }
    for (const event of events) {
      applyEvent(view, event);
      this.printer.event(event, view);
    }
    if (view.result !== null) {
      this.printer.ended(view.result, view);
      this.end(EXIT_CODES[view.result.status]);
    }
  }

  private press(): void {
    this.presses += 1;
    const runId = this.view?.runId;
    if (runId === undefined && this.client.cancelSending()) {
      const message =
        'The sending was cancelled, and no run was begun. What has arrived stays: the next run sends the rest.';
      this.printer.failed({ code: 'cancelled', message }, undefined);
      this.end(ExitCode.stopped);
    } else if (this.presses === 1) {
      this.printer.notice(
        runId === undefined
          ? 'The run will be stopped as soon as it has begun. Ctrl+C again leaves at once.'
          : 'Stopping after this step. Ctrl+C again kills the run.',
      );
      if (runId !== undefined) {
        this.stop(runId, false);
      }
    } else if (this.presses === 2 && runId !== undefined) {
      this.printer.notice('Killing the run. Ctrl+C again leaves without waiting for its end.');
      this.stop(runId, true);
    } else {
      this.printer.notice('Left. The run ends in the container, once that gets to it.');
      this.end(ExitCode.stopped);
    }
  }

  private stop(runId: string, kill: boolean): void {
    this.client.stop(runId, kill).catch((error: unknown) => {
      if (!this.finished) {
        this.printer.notice(
          `The run could not be stopped: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    });
  }

  /** The client reads the rest of a run from the volume before it says that the container is gone. */
  private linkChanged(): void {
    if (this.view !== undefined && this.client.link === 'none' && !this.finished) {
      const message = 'The container is gone, and the log does not say how the run ended.';
      this.printer.failed({ code: 'container_died', message }, this.view.runId);
      this.end(ExitCode.failed);
    }
  }

  private end(code: ExitCode): void {
    this.finished = true;
    this.finish(code);
  }
}
