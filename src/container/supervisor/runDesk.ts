import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Program } from '../../protocol/program';
import type { RunRecord } from '../../protocol/run';
import { ErrorCode, MAX_LISTED_RUNS } from '../../protocol/rpc';
import { RUN_RECORD_VERSION, isFinal } from '../../protocol/run';
import type { OutputsVolume, StoredRun } from '../../volume/outputsVolume';
import { RUN_FILES } from '../../volume/outputsVolume';
import { applyRetention } from '../../volume/retention';
import type { ActiveRunListener } from './activeRun';
import { ActiveRun } from './activeRun';
import { noSuchRun, refusal } from './refusals';
import type { EventSource } from './subscription';

export type NewRun = Pick<
  RunRecord,
  'recipe' | 'entrypoint' | 'params' | 'target' | 'containerId' | 'start' | 'resumedFrom' | 'sweep'
> & {
  /** When the user asked for it, milliseconds since the epoch. */
  askedAt: number;
  /** Folder of the run that it goes on with. */
  resumedDir: string | null;
  program: Program;
};

/** The runs of the outputs volume, the ones included that the volume did not take to their end. */
export class RunDesk {
  /** Runs that have ended and could not be stored; their end is kept here until they can. */
  private readonly held = new Map<string, ActiveRun>();

  constructor(private readonly volume: OutputsVolume) {}

  /** Makes a new run's folder and files. @throws Error if the volume cannot be written */
  async open(
    { askedAt, resumedDir, program, ...facts }: NewRun,
    listener: ActiveRunListener,
  ): Promise<ActiveRun> {
    await this.storeHeld();
    const { runId, dir } = await this.volume.createRun(facts.recipe, new Date());
    let run: ActiveRun | undefined;
    try {
      const record: RunRecord = {
        schemaVersion: RUN_RECORD_VERSION,
        runId,
        ...facts,
        engine: '',
        device: '',
        state: 'queued',
        createdAt: new Date(askedAt).toISOString(),
        checkpoints: [],
        pinned: false,
      };
      run = new ActiveRun(this.volume, dir, record, askedAt, program, listener);
      run.resumedDir = resumedDir;
      await this.volume.writeRecord(dir, record);
      return run;
    } catch (error) {
      run?.discard();
      await rm(dir, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
  }

  /** To be called with every run that has ended. */
  closed(run: ActiveRun): void {
    if (!run.isStored) {
      this.held.set(run.runId, run);
    }
  }

  /** Tries again to store the ends of runs that the volume did not take. */
  async storeHeld(): Promise<void> {
    for (const [runId, run] of this.held) {
      if (await run.storeRest()) {
        this.held.delete(runId);
      }
    }
  }

  /** Where a run's events are; undefined if there is no such run. */
  async source(runId: string): Promise<EventSource | undefined> {
    const held = this.held.get(runId);
    if (held !== undefined) {
      return held.source;
    }
    const dir = await this.volume.findRun(runId);
    return dir === undefined ? undefined : { path: join(dir, RUN_FILES.events), unstored: [] };
  }

  /** The newest runs, newest first. */
  async list(): Promise<RunRecord[]> {
    const stored = await this.volume.listRuns();
    return stored
      .slice(0, MAX_LISTED_RUNS)
      .map(({ record }) => this.held.get(record.runId)?.record ?? record);
  }

  /** What the volume says of a run; undefined if there is no such run. */
  async record(runId: string): Promise<RunRecord | undefined> {
    const dir = await this.volume.findRun(runId);
    return dir === undefined ? undefined : this.volume.readRecord(dir);
  }

  /**
   * The run whose last checkpoint another one is to begin from.
   * @throws JSONRPCErrorException if it cannot
   */
  async resumable(runId: string, recipe: string, entrypoint: string | undefined): Promise<StoredRun> {
    const dir = await this.volume.findRun(runId);
    const record = dir === undefined ? undefined : await this.volume.readRecord(dir);
    if (dir === undefined || record === undefined) {
      throw noSuchRun(runId);
    }
    const refused = (why: string): Error =>
      refusal(ErrorCode.notResumable, `Run ${runId} cannot be gone on with: ${why}.`);
    if (!isFinal(record.state)) {
      throw refused('it has not ended');
    }
    if (record.recipe !== recipe || record.entrypoint !== entrypoint) {
      throw refused(`it trained "${record.entrypoint ?? record.recipe}", not "${entrypoint ?? recipe}"`);
    }
    if (!record.checkpoints.some(({ kind }) => kind === 'last')) {
      throw refused('it has no last checkpoint');
    }
    return { dir, record };
  }

  /** Pins a run that has ended. @returns its record; undefined if there is no such run */
  async pin(runId: string, pinned: boolean): Promise<RunRecord | undefined> {
    const dir = await this.volume.findRun(runId);
    const record = dir === undefined ? undefined : await this.volume.readRecord(dir);
    if (dir === undefined || record === undefined || !isFinal(record.state)) {
      return undefined;
    }
    const changed = { ...record, pinned };
    await this.volume.writeRecord(dir, changed);
    return changed;
  }

  /** Removes old checkpoints and says so in the run's log. */
  async retain(run: ActiveRun, keepDates: number): Promise<void> {
    const { removed, failures } = await applyRetention(this.volume, run.record.recipe, keepDates);
    if (removed.length > 0) {
      const text =
        `Retention keeps the checkpoints of the newest ${keepDates} dates and removed ` +
        `${removed.length} older file${removed.length === 1 ? '' : 's'}: ${removed.join(', ')}`;
      run.append({ type: 'log', level: 'info', text });
    }
    if (failures.length > 0) {
      const text = `Old checkpoints could not be removed: ${failures.join('; ')}`;
      run.append({ type: 'log', level: 'warning', text });
    }
  }
}
