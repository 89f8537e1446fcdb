import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunRecord } from '../../../src/protocol/run';
import { OutputsVolume } from '../../../src/volume/outputsVolume';
import { applyRetention } from '../../../src/volume/retention';
import { recordOf } from './records';

const FILES = ['best.safetensors', 'events.jsonl', 'last.safetensors', 'run.json', 'training.log'];
const KEPT = ['events.jsonl', 'run.json', 'training.log'];

describe('retention', () => {
  let root: string;
  let volume: OutputsVolume;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tiny cats ä "old" '));
    volume = new OutputsVolume(root);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function run(date: string, changes: Partial<RunRecord> = {}): Promise<string> {
    const recipe = changes.recipe ?? 'classifier';
    const { runId, dir } = await volume.createRun(recipe, new Date(`${date}T12:00:00`));
    for (const file of FILES) {
      await writeFile(join(dir, file), '');
    }
    const best = { kind: 'best', file: 'best.safetensors', bytes: 0, epoch: 1, val_acc: 1 } as const;
    await volume.writeRecord(dir, recordOf(runId, { checkpoints: [best], ...changes }));
    return dir;
  }

  const filesOf = async (dir: string): Promise<string[]> => (await readdir(dir)).sort();

  it('removes the checkpoints of all but the newest dates, and nothing else, and says which', async () => {
    const [newest, alsoNewest, second, old] = [
      await run('2026-01-05'),
      await run('2026-01-05'),
      await run('2026-01-03'),
      await run('2025-12-31'),
    ];
    const other = await run('2025-01-01', { recipe: 'another' });
    const { removed, failures } = await applyRetention(volume, 'classifier', 2);
    assert.deepEqual(
      removed.sort(),
      ['best.safetensors', 'last.safetensors'].map((file) => join(old, file).slice(root.length + 1)),
    );
    assert.deepEqual(failures, []);
    assert.deepEqual(await filesOf(old), KEPT);
    assert.deepEqual((await volume.readRecord(old))?.checkpoints, []);
    for (const dir of [newest, alsoNewest, second, other]) {
      assert.deepEqual(await filesOf(dir), FILES);
    }
    assert.deepEqual((await applyRetention(volume, 'classifier', 2)).removed, []);
  });

  it('keeps all with 0, those of pinned runs and of runs that have not ended', async () => {
    const pinned = await run('2020-01-01', { pinned: true });
    const running = await run('2020-01-02', { state: 'training' });
    const old = await run('2020-01-03');
    await run('2020-01-04');
    assert.deepEqual((await applyRetention(volume, 'classifier', 0)).removed, []);
    assert.equal((await applyRetention(volume, 'classifier', 1)).removed.length, 2);
    assert.deepEqual(await filesOf(pinned), FILES);
    assert.deepEqual(await filesOf(running), FILES);
    assert.deepEqual(await filesOf(old), KEPT);
  });

  it('goes on where one file cannot be removed, and says why', async () => {
    const stuck = await run('2020-01-01');
    await rm(join(stuck, 'best.safetensors'));
    await mkdir(join(stuck, 'best.safetensors', 'full'), { recursive: true });
    const old = await run('2020-01-02');
    await run('2020-01-03');
    await writeFile(join(root, 'checkpoints', 'classifier', '2019-01-01'), 'a file');
    const { removed, failures } = await applyRetention(volume, 'classifier', 1);
    assert.deepEqual(await filesOf(old), KEPT);
    assert.equal(removed.length, 2);
    assert.equal(failures.length, 1);
    assert.ok(failures[0]?.includes('best.safetensors'));
  });
});
