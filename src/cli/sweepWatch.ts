import { setTimeout as delay } from 'node:timers/promises';
import type { SweepRecord } from '../protocol/sweep';
import { isSweepFinal, isTrialFinal, ranking, trialTitle } from '../protocol/sweep';
import type { PoolPlace } from '../sweep/beginSweep';
import { ensureDriver, isDriven } from '../sweep/launch';
import { sweepDir } from '../targets/local/paths';
import { SweepFiles } from '../volume/sweepFiles';
import type { CliContext } from './command';
import { CommandError, ExitCode } from './errors';
import { comparisonLines, tallyText } from './sweepText';
import { jsonLine, plain } from './text';

const POLL_MS = 250;
/** How often a driver that dies is replaced before it is given up. */
const MAX_REVIVALS = 3;

/**
 * Follows a sweep to its end. The first Ctrl+C or SIGTERM stops it, the second kills what trains, the third leaves it;
 * a closed output leaves it as well.
 */
export class SweepWatch {
  private readonly files: SweepFiles;
  private presses = 0;
  private revivals = 0;
  /** Trials whose end was told. */
  private readonly told = new Set<number>();

  constructor(
    private readonly context: Pick<CliContext, 'terminal' | 'onSignal'>,
    private readonly place: PoolPlace,
    private readonly sweepId: string,
    private readonly json: boolean,
  ) {
    this.files = new SweepFiles(place.outputsDir);
  }

  /** @throws CommandError if the sweep cannot be driven or its file is gone */
  async follow(): Promise<ExitCode> {
    const { terminal, onSignal } = this.context;
    const unlisten = onSignal(() => void this.press());
    if (!this.json) {
      terminal.line(`Sweep ${this.sweepId}`);
    }
    try {
      while (!terminal.closed.aborted) {
        const record = await this.look();
        if (isSweepFinal(record)) {
          this.tellEnd(record);
          return exitCodeOf(record);
        }
        if (this.presses > 2) {
          return ExitCode.stopped;
        }
        await delay(POLL_MS);
      }
      return ExitCode.outputClosed;
    } finally {
      unlisten();
      terminal.clearProgress();
    }
  }

  private async look(): Promise<SweepRecord> {
    const { files, place, sweepId } = this;
    const driven = await isDriven(sweepId);
    const record = await files.read(sweepId);
    if (record === undefined) {
      throw new CommandError(`${files.path(sweepId)} is gone, or cannot be read.`);
    }
    this.tell(record);
    // One that has just been started takes a moment to take its lock: it is not given up for that.
    if (!driven && !isSweepFinal(record)) {
      this.revivals += 1;
      if (this.revivals > MAX_REVIVALS / (POLL_MS / 1000)) {
        throw new CommandError(
          `What drives the sweep ends again and again; its log is in ${sweepDir(sweepId)}. "tiny-cats sweeps ${sweepId} --follow" tries again.`,
        );
      }
      await ensureDriver(place, record);
    } else {
      this.revivals = 0;
    }
    return record;
  }

  private tell(record: SweepRecord): void {
    const { terminal } = this.context;
    for (const [index, trial] of record.trials.entries()) {
      if (!isTrialFinal(trial) || this.told.has(index)) {
        continue;
      }
      this.told.add(index);
      if (this.json) {
        terminal.line(jsonLine({ type: 'trial', trial: index, ...trial }));
        continue;
      }
      const score = trial.best === null ? '' : `, val acc ${trial.best.toFixed(4)}`;
      const reason = trial.error === undefined ? '' : `: ${plain(trial.error)}`;
      terminal.line(`${plain(trialTitle(trial))}: ${trial.state}${score}${reason}`);
    }
    if (!this.json) {
      terminal.progress(`${record.state === 'stopping' ? 'Stopping: ' : ''}${tallyText(record)}`);
    }
  }

  private tellEnd(record: SweepRecord): void {
    const { terminal } = this.context;
    terminal.clearProgress();
    if (this.json) {
      const { sweepId, state, trials } = record;
      const best = ranking(trials)[0];
      terminal.line(
        jsonLine({
          sweep_id: sweepId,
          status: state,
          best: best === undefined ? null : trials[best],
          trials,
        }),
      );
      return;
    }
    terminal.line();
    comparisonLines(record).forEach((line) => terminal.line(line));
    terminal.line(`Sweep ${record.sweepId} ${record.state}: ${tallyText(record)}.`);
  }

  private async press(): Promise<void> {
    this.presses += 1;
    const { terminal } = this.context;
    if (this.presses > 2) {
      terminal.message('Left. The sweep stops by itself.');
      return;
    }
    const kill = this.presses === 2;
    terminal.message(
      kill
        ? 'Killing what trains. Ctrl+C again leaves without waiting.'
        : 'Stopping the sweep after the running steps. Ctrl+C again kills what trains.',
    );
    try {
      await this.files.requestStop(this.sweepId, kill ? 'kill' : 'stop');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      terminal.message(`The sweep could not be stopped: ${reason}`);
    }
  }
}

function exitCodeOf({ state, trials }: SweepRecord): ExitCode {
  if (state === 'stopped') {
    return ExitCode.stopped;
  }
  return trials.some((trial) => trial.state === 'failed') ? ExitCode.failed : ExitCode.done;
}
