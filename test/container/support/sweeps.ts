import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParameterValues } from '../../../src/protocol/parameters';
import { RECIPES_PROGRAM } from '../../../src/protocol/program';
import { CLASSIFIER } from '../../../src/protocol/recipes';
import type { RunRecord } from '../../../src/protocol/run';
import type { SweepAxis, SweepRecord } from '../../../src/protocol/sweep';
import { isSweepFinal } from '../../../src/protocol/sweep';
import { beginSweep } from '../../../src/sweep/beginSweep';
import { DRIVER_LOCK } from '../../../src/sweep/driverOptions';
import { ensureDriver } from '../../../src/sweep/launch';
import { LOCAL_TARGET } from '../../../src/targets/config';
import { livingContainers } from '../../../src/targets/local/livingContainers';
import { LocalTarget } from '../../../src/targets/local/localTarget';
import { sweepDir } from '../../../src/targets/local/paths';
import { SweepFiles } from '../../../src/volume/sweepFiles';
import type { Place } from './place';
import { SETTINGS } from './settings';
import { endOf, until } from './waiting';

/** A sweep in a place of a test's own. */
export class SweepInPlace {
  private constructor(
    private readonly place: Place,
    readonly sweepId: string,
  ) {}

  static async begin(
    place: Place,
    axes: readonly SweepAxis[],
    { jobs = 2, params = {} }: { jobs?: number; params?: ParameterValues } = {},
  ): Promise<SweepInPlace> {
    place.target();
    const request = {
      recipe: CLASSIFIER,
      program: RECIPES_PROGRAM,
      runsAs: CLASSIFIER.name,
      params: place.params(params),
      axes,
      jobs,
      settings: SETTINGS,
    };
    const { sweepId } = await beginSweep({ ...request, target: LOCAL_TARGET, engine: 'auto' }, place);
    return new SweepInPlace(place, sweepId);
  }

  get files(): SweepFiles {
    return new SweepFiles(this.place.outputsDir);
  }

  async drive(): Promise<void> {
    const { bundleDir, outputsDir, dataDir } = this.place;
    await ensureDriver(
      { bundleDir, outputsDir, dataDir },
      { sweepId: this.sweepId, target: LOCAL_TARGET.name },
    );
  }

  async record(): Promise<SweepRecord> {
    return until(() => this.files.read(this.sweepId));
  }

  /** The sweep once it is so. */
  async when(fits: (record: SweepRecord) => boolean): Promise<SweepRecord> {
    return until(async () => {
      const record = await this.record();
      return fits(record) ? record : undefined;
    });
  }

  async ended(): Promise<SweepRecord> {
    return this.when(isSweepFinal);
  }

  /** The runs of the sweep, whichever trial they are of. */
  async runs(): Promise<RunRecord[]> {
    const stored = await this.place.volume.listRuns();
    return stored.map(({ record }) => record).filter(({ sweep }) => sweep?.sweepId === this.sweepId);
  }

  async driverPid(): Promise<number> {
    const path = join(sweepDir(this.sweepId), DRIVER_LOCK);
    return until(async () => {
      const text = await readFile(path, 'utf8').catch(() => '');
      const pid = /"pid":(\d+)/.exec(text)?.[1];
      return pid === undefined ? undefined : Number(pid);
    });
  }

  async killDriver(): Promise<void> {
    const pid = await this.driverPid();
    const ended = endOf(pid);
    process.kill(pid, 'SIGKILL');
    await ended();
  }
}

/** Ends every container of the place's volume. */
export async function killContainers({ bundleDir, outputsDir, dataDir }: Place): Promise<void> {
  for (let slot = 0; (await livingContainers(outputsDir)).length > 0; slot += 1) {
    await LocalTarget.open({ bundleDir, outputsDir, dataDir, slot }).kill();
  }
}
