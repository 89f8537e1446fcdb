import { EventEmitter } from 'node:events';
import type { RunRecord } from '../../protocol/run';
import type { SweepRecord } from '../../protocol/sweep';
import { isSweepFinal } from '../../protocol/sweep';
import type { PoolPlace } from '../../sweep/beginSweep';
import { ensureDriver, reviveSweeps } from '../../sweep/launch';
import { SweepFiles } from '../../volume/sweepFiles';

/** How often the file of a sweep that goes on is read. */
const POLL_MS = 700;

/**
 * The sweeps of the workspace, newest first. Their drivers write the files; this window reads them. `runs` is emitted when
 * a run of a sweep has begun or ended, `change` for those and all else.
 */
export class SweepModel extends EventEmitter<{ change: []; runs: [] }> {
  private stored: readonly SweepRecord[] = [];
  private timer: NodeJS.Timeout | undefined;
  private turn = 0;

  /** @param place undefined without a folder */
  constructor(private readonly place: () => PoolPlace | undefined) {
    super();
  }

  /** Where sweeps are kept and driven. @throws Error without a folder */
  requirePlace(): PoolPlace {
    const place = this.place();
    if (place === undefined) {
      throw new Error('Open a folder first: sweeps are kept in its outputs volume.');
    }
    return place;
  }

  get sweeps(): readonly SweepRecord[] {
    return this.stored;
  }

  find(sweepId: string | undefined): SweepRecord | undefined {
    return this.stored.find((sweep) => sweep.sweepId === sweepId);
  }

  /** The sweep that a run is a part of. */
  ofRun(record: Pick<RunRecord, 'sweep'> | undefined): SweepRecord | undefined {
    return this.find(record?.sweep?.sweepId);
  }

  /** Reads all again, and goes on to as long as one is not over. */
  async refresh(): Promise<void> {
    clearTimeout(this.timer);
    const turn = ++this.turn;
    const place = this.place();
    const sweeps = place === undefined ? [] : await new SweepFiles(place.outputsDir).list();
    if (turn !== this.turn) {
      return;
    }
    const before = this.stored;
    this.stored = sweeps;
    if (JSON.stringify(runStates(sweeps)) !== JSON.stringify(runStates(before))) {
      this.emit('runs');
    }
    if (JSON.stringify(sweeps) !== JSON.stringify(before)) {
      this.emit('change');
    }
    if (sweeps.some((sweep) => !isSweepFinal(sweep))) {
      this.timer = setTimeout(() => void this.refresh(), POLL_MS);
    }
  }

  /** Sees to it that sweeps of before go on, whose driver died with the machine. */
  async revive(): Promise<void> {
    await this.refresh();
    const place = this.place();
    if (place !== undefined && this.stored.some((sweep) => !isSweepFinal(sweep))) {
      await reviveSweeps(place);
    }
  }

  async stop(sweepId: string): Promise<void> {
    const place = this.place();
    const sweep = this.find(sweepId);
    if (place !== undefined && sweep !== undefined && !isSweepFinal(sweep)) {
      // Asked again, it does not wait for the running steps.
      const request = sweep.state === 'stopping' ? 'kill' : 'stop';
      await new SweepFiles(place.outputsDir).requestStop(sweepId, request);
      await ensureDriver(place, sweep);
      await this.refresh();
    }
  }

  dispose(): void {
    this.turn += 1;
    clearTimeout(this.timer);
    this.removeAllListeners();
  }
}

function runStates(sweeps: readonly SweepRecord[]): unknown {
  return sweeps.map(({ trials }) => trials.map(({ runId, state }) => [runId, state]));
}
