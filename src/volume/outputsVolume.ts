import { randomBytes } from 'node:crypto';
import { access, mkdir, readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RunEvent } from '../protocol/events';
import type { RunRecord } from '../protocol/run';
import { runRecordSchema } from '../protocol/run';
import { parse } from '../protocol/schema';
import { writeFileAtomic } from './atomicFile';
import { readEvents } from './eventLog';
import { makeFolder } from './makeFolder';
import { readNewerRecord } from './newerRecord';

/** Names inside a run's folder. */
export const RUN_FILES = {
  record: 'run.json',
  events: 'events.jsonl',
  log: 'training.log',
  best: 'best.safetensors',
  last: 'last.safetensors',
} as const;

const RUN_ID = /^(\d{4})(\d{2})(\d{2})-\d{6}-[0-9a-f]{6}$/;
/** Whether `text` is written as the ids of runs are. */
export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}

const DATED_DIRECTORY = /^\d{4}-\d{2}-\d{2}$/;
/** Files open at a time while the history is read: a process may have no more than some hundreds. */
const READ_AT_ONCE = 64;

/** A run's folder on disk and what its run.json says. */
export interface StoredRun {
  record: RunRecord;
  dir: string;
}

/**
 * The outputs volume: `checkpoints/<recipe>/YYYY-MM-DD/<run id>/`. Reading needs no container. Writing is the
 * container's, and that of who settles the runs of a dead one.
 */
export class OutputsVolume {
  constructor(readonly root: string) {}

  /**
   * Makes the folder of a new run, dated in local time as the design does.
   * @throws Error if the volume cannot be written
   */
  async createRun(recipe: string, now: Date): Promise<{ runId: string; dir: string }> {
    const two = (value: number): string => String(value).padStart(2, '0');
    const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())];
    const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join('');
    const runId = `${date.join('')}-${time}-${randomBytes(3).toString('hex')}`;
    const dir = join(this.recipeDir(recipe), date.join('-'), runId);
    try {
      // Nothing made: the id is taken already.
      if ((await mkdir(dir, { recursive: true })) === undefined) {
        return await this.createRun(recipe, now);
      }
    } catch {
      // On a read-only file system a recursive mkdir says ENOENT; this says what is wrong.
      makeFolder(dir);
    }
    return { runId, dir };
  }

  /** Writes a run's run.json whole. @throws Error if the volume cannot be written, or a newer version wrote the run */
  async writeRecord(dir: string, record: RunRecord): Promise<void> {
    if (record.newer === true) {
      throw new Error(`${record.runId} is of a newer version of Tiny Cats, and is not written by this one`);
    }
    await writeFileAtomic(join(dir, RUN_FILES.record), `${JSON.stringify(record, undefined, 2)}\n`);
  }

  /** The run's folder, or undefined if the volume has no such run. */
  async findRun(runId: string): Promise<string | undefined> {
    const date = RUN_ID.exec(runId);
    if (date === null) {
      return undefined;
    }
    const dated = date.slice(1, 4).join('-');
    for (const recipe of await namesIn(join(this.root, 'checkpoints'))) {
      const dir = join(this.recipeDir(recipe), dated, runId);
      if (await exists(join(dir, RUN_FILES.record))) {
        return dir;
      }
    }
    return undefined;
  }

  /** All runs that can be read, newest first; those of a newer version are marked so. */
  async listRuns(): Promise<StoredRun[]> {
    const dirs: string[] = [];
    for (const recipe of await namesIn(join(this.root, 'checkpoints'))) {
      for (const date of await this.datedDirectories(recipe)) {
        dirs.push(...(await this.runDirectories(recipe, date)));
      }
    }
    const runs: StoredRun[] = [];
    for (let start = 0; start < dirs.length; start += READ_AT_ONCE) {
      const some = dirs.slice(start, start + READ_AT_ONCE);
      const records = await Promise.all(some.map((dir) => this.readAnyRecord(dir)));
      records.forEach((record, index) => {
        const dir = some[index];
        if (record !== undefined && dir !== undefined) {
          runs.push({ dir, record });
        }
      });
    }
    return runs.sort(newestFirst);
  }

  /** What run.json says; undefined if there is none, or none that this version can read. */
  async readRecord(dir: string): Promise<RunRecord | undefined> {
    const record = await this.readAnyRecord(dir);
    return record?.newer === true ? undefined : record;
  }

  private async readAnyRecord(dir: string): Promise<RunRecord | undefined> {
    try {
      const value: unknown = JSON.parse(await readFile(join(dir, RUN_FILES.record), 'utf8'));
      return readNewerRecord(basename(dir), value) ?? parse(runRecordSchema, value, RUN_FILES.record);
    } catch {
      return undefined;
    }
  }

  /** The run's events after `afterSeq`. An unknown run has none. */
  async readRunEvents(runId: string, afterSeq: number): Promise<RunEvent[]> {
    const dir = await this.findRun(runId);
    return dir === undefined ? [] : readEvents(join(dir, RUN_FILES.events), afterSeq);
  }

  /** Names of a recipe's dated directories, newest first. */
  async datedDirectories(recipe: string): Promise<string[]> {
    const names = await namesIn(this.recipeDir(recipe));
    return names
      .filter((name) => DATED_DIRECTORY.test(name))
      .sort()
      .reverse();
  }

  /** Folders of the runs in one of a recipe's dated directories. */
  async runDirectories(recipe: string, date: string): Promise<string[]> {
    const dated = join(this.recipeDir(recipe), date);
    return (await namesIn(dated)).filter((name) => RUN_ID.test(name)).map((name) => join(dated, name));
  }

  recipeDir(recipe: string): string {
    return join(this.root, 'checkpoints', recipe);
  }
}

/** Folder that a run has in a volume, there or not; undefined if its id is none. */
export function runDir(volume: OutputsVolume, { runId, recipe }: RunRecord): string | undefined {
  const date = RUN_ID.exec(runId);
  return date === null || /[/\\\0]|^\.+$/.test(recipe)
    ? undefined
    : join(volume.recipeDir(recipe), date.slice(1, 4).join('-'), runId);
}

/** Ids tell seconds apart and no more; they are local time besides. */
function newestFirst({ record: a }: StoredRun, { record: b }: StoredRun): number {
  const ageMs = Date.parse(b.createdAt) - Date.parse(a.createdAt);
  return ageMs === 0 || Number.isNaN(ageMs) ? (a.runId < b.runId ? 1 : -1) : ageMs;
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch {
    return [];
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
