import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from '../protocol/schema';
import type { SweepRecord } from '../protocol/sweep';
import { sweepRecordSchema } from '../protocol/sweep';
import { writeFileAtomic } from './atomicFile';

const SWEEP_ID = /^sweep-\d{8}-\d{6}-[0-9a-f]{6}$/;

/** `stop`: after the running steps, with checkpoints; `kill`: at once. */
export type StopRequest = 'stop' | 'kill';

/**
 * The sweeps of an outputs volume: `sweeps/<id>.json`, which only the sweep's driver writes once it is made, and beside
 * it `<id>.stop` where somebody wants it to stop.
 */
export class SweepFiles {
  readonly dir: string;

  constructor(outputsDir: string) {
    this.dir = join(outputsDir, 'sweeps');
  }

  /** An id as those of runs are, in local time. */
  static newId(now: Date): string {
    const two = (value: number): string => String(value).padStart(2, '0');
    const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join('');
    const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join('');
    return `sweep-${date}-${time}-${randomBytes(3).toString('hex')}`;
  }

  path(sweepId: string): string {
    return join(this.dir, `${sweepId}.json`);
  }

  /** @throws Error if the volume cannot be written */
  async write(record: SweepRecord): Promise<void> {
    await mkdir(this.dir, { recursive: true });
    await writeFileAtomic(this.path(record.sweepId), `${JSON.stringify(record)}\n`);
  }

  /** Undefined if there is none, or none that this version can read. */
  async read(sweepId: string): Promise<SweepRecord | undefined> {
    if (!SWEEP_ID.test(sweepId)) {
      return undefined;
    }
    try {
      const value: unknown = JSON.parse(await readFile(this.path(sweepId), 'utf8'));
      return parse(sweepRecordSchema, value, 'sweep');
    } catch {
      return undefined;
    }
  }

  /** All that can be read, newest first. */
  async list(): Promise<SweepRecord[]> {
    const names = await readdir(this.dir).catch(() => []);
    const ids = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
    const records = await Promise.all(ids.map((id) => this.read(id)));
    return records
      .flatMap((record) => (record === undefined ? [] : [record]))
      .sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  }

  /** Asks the driver, the present one or the next, to stop the sweep. */
  async requestStop(sweepId: string, request: StopRequest): Promise<void> {
    await writeFile(join(this.dir, `${sweepId}.stop`), request);
  }

  async stopRequest(sweepId: string): Promise<StopRequest | undefined> {
    const text = await readFile(join(this.dir, `${sweepId}.stop`), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : text === 'kill' ? 'kill' : 'stop';
  }
}
