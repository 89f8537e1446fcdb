import type { LogLevel, Phase, RunEvent } from '../protocol/events';
import { heldMemoryText } from '../protocol/heldMemory';
import type { RunError, RunResult, RunState } from '../protocol/run';
import type { DatasetFacts, MetricsRow, RunView } from '../protocol/runView';
import { bestEpoch, startKind, startWords } from '../protocol/runView';
import type { SendProgress } from '../transfer/sendFolder';
import { capital, countText, durationText, engineText, epochText, metricsText, sampleText } from './format';
import { PhaseLines } from './phaseLines';
import { progressLine } from './progressLine';
import type { RunPrinter } from './runPrinter';
import { SendingText } from './sendingText';
import type { Terminal } from './terminal';
import { displayWidth, plain, plainLines } from './text';

const MOST_CLASSES = 8;
const MOST_SKIPPED = 5;
const RESTART_HINT = '"tiny-cats cool" lets the container go; the next run starts a fresh one.';
/** Rows of metrics that are printed of a run, about. */
const PRINTED_METRICS = 20;

/** Lines for a person; on a terminal with a line of progress below them. */
export class TextPrinter implements RunPrinter {
  private lastError = '';
  private readonly phases = new PhaseLines();
  private metricsStep = 0;
  private readonly sendingText: SendingText;

  /** @param now milliseconds since the epoch, for the time left */
  constructor(
    private readonly terminal: Terminal,
    private readonly now: () => number = Date.now,
  ) {
    this.sendingText = new SendingText(terminal);
  }

  starting(): void {
    this.progress('Reaching the container…');
  }

  sending(progress: SendProgress | undefined): void {
    this.sendingText.take(progress);
  }

  detached(runId: string): void {
    this.terminal.clearProgress();
    this.terminal.line(runId);
    this.terminal.message('The run goes on in the container. "tiny-cats status" shows how far it is.');
  }

  event(event: RunEvent, view: RunView): void {
    switch (event.type) {
      case 'run':
        this.terminal.line(
          `${this.terminal.style(`Run ${event.runId}`, 'bold')}: ${plain(event.entrypoint ?? event.recipe)}, ${event.start} start`,
        );
        break;
      case 'state':
        this.state(event.state, event.message);
        break;
      case 'resumed':
        this.terminal.line(
          event.from === null
            ? 'Begins anew: there is no checkpoint to go on from'
            : `Goes on after epoch ${event.epoch}${event.step === 0 ? '' : `, step ${event.step}`}: ${plain(event.from)}`,
        );
        break;
      case 'phase':
        if (startKind(view) !== 'warm') {
          this.phase(event.phase);
        }
        break;
      case 'engine':
        this.terminal.line(`Engine: ${engineText(event)}`);
        break;
      case 'log':
        this.log(event.level, event.text, view.entrypoint !== null);
        break;
      case 'dataset':
        this.dataset(event);
        break;
      case 'step':
        this.terminal.progress(progressLine(view, this.terminal.columns, this.now()));
        break;
      case 'epoch':
        if (event.fromLog !== true) {
          this.terminal.line(epochText(event));
        }
        break;
      case 'sample':
        this.terminal.line(sampleText(event));
        break;
      case 'metrics':
        this.metrics(event);
        break;
      case 'held_memory':
        this.notice(`${heldMemoryText(event)}. ${RESTART_HINT}`);
        break;
      case 'restart_needed':
        this.notice(`${event.reason} ${RESTART_HINT}`);
        break;
      case 'first_step':
      case 'checkpoint':
      case 'device':
      case 'files':
      case 'result':
        break;
    }
  }

  notice(text: string): void {
    this.terminal.message(this.terminal.style(plainLines(text), 'yellow'));
  }

  ended(result: RunResult, view: RunView): void {
    this.terminal.clearProgress();
    if (result.error !== undefined) {
      this.error(result.error.message);
    }
    this.terminal.line(this.headline(result, view));
    this.terminal.line(
      result.output === null
        ? savedText(view)
        : `Best checkpoint: ${this.terminal.style(plain(result.output), 'bold')}`,
    );
    if (result.returned !== undefined && result.returned !== null) {
      this.terminal.line(`Returned: ${plain(JSON.stringify(result.returned))}`);
    }
    this.terminal.line(
      result.time_to_first_step_ms === null
        ? startWords(view)
        : `${startWords(view)}, first step done after ${durationText(result.time_to_first_step_ms)}`,
    );
  }

  failed(error: RunError): void {
    this.terminal.clearProgress();
    this.error(error.message);
  }

  private headline({ status, val_acc }: RunResult, view: RunView): string {
    const colour = ({ completed: 'green', failed: 'red', stopped: 'yellow' } as const)[status];
    const styled = this.terminal.style(capital(status), 'bold', colour);
    const after =
      view.endedAt === null || view.createdAt === 0
        ? ''
        : ` after ${durationText(view.endedAt - view.createdAt)}`;
    const best = bestEpoch(view);
    const accuracy = val_acc === null ? '' : `: best val acc ${val_acc.toFixed(4)}`;
    return `${styled}${after}${accuracy}${best === undefined || val_acc === null ? '' : ` (epoch ${best.epoch})`}`;
  }

  private metrics(row: MetricsRow): void {
    if (row.fromLog === true) {
      return;
    }
    if (row.step >= row.steps || row.step - this.metricsStep >= row.steps / PRINTED_METRICS) {
      this.metricsStep = row.step;
      this.terminal.line(metricsText(row));
    }
  }

  private state(state: RunState, message: string | undefined): void {
    if (state === 'retrying') {
      this.notice(message ?? 'Retrying…');
    } else if (state === 'queued') {
      this.progress(message ?? 'Warming up…');
    } else if (state === 'preparing') {
      this.progress('Preparing…');
    }
  }

  private phase(phase: Phase): void {
    for (const line of this.phases.take(phase)) {
      this.terminal.line(line);
    }
  }

  private dataset({ dir, classes, train, val, skipped, more_skipped = 0 }: DatasetFacts): void {
    const images = classes.reduce((sum, { images }) => sum + images, 0);
    const shown = classes.slice(0, MOST_CLASSES).map(({ name, images }) => `${plain(name)} ${images}`);
    const more = classes.length > MOST_CLASSES ? [`${classes.length - MOST_CLASSES} more`] : [];
    this.terminal.line(
      `Data: ${plain(dir)}: ${countText(images, 'image')} in ${countText(classes.length, 'class', 'classes')} ` +
        `(${[...shown, ...more].join(', ')}); ${train} to train on` +
        (val === 0 ? '' : `, ${val} to validate on`),
    );
    if (skipped.length > 0) {
      const paths = skipped
        .slice(0, MOST_SKIPPED)
        .map(({ path, reason }) => `  ${plain(path)}: ${plain(reason)}`);
      const total = skipped.length + more_skipped;
      const rest = total > MOST_SKIPPED ? [`  and ${total - MOST_SKIPPED} more`] : [];
      this.notice(
        [`Skipped ${countText(total, 'file')} that could not be read as images:`, ...paths, ...rest].join(
          '\n',
        ),
      );
    }
  }

  /** @param isUsers whether the run is of the user's own code, whose prints are shown */
  private log(level: LogLevel, text: string, isUsers: boolean): void {
    if (level === 'error') {
      this.error(text);
    } else if (level === 'warning') {
      this.notice(text);
    } else if (isUsers && level === 'info') {
      this.terminal.line(plainLines(text));
    }
  }

  /** The result repeats the error that the log told of: it is said once. */
  private error(text: string): void {
    if (text !== this.lastError) {
      this.lastError = text;
      this.terminal.message(this.terminal.style(plainLines(text), 'red'));
    }
  }

  private progress(text: string): void {
    this.terminal.progress(displayWidth(text) < this.terminal.columns ? text : '');
  }
}

/** What a run without a best checkpoint has saved: the files that the user's own code wrote. */
function savedText({ checkpoints }: RunView): string {
  return checkpoints.length === 0
    ? 'No checkpoint was saved.'
    : `Saved: ${checkpoints.map(({ file }) => plain(file)).join(', ')}`;
}
