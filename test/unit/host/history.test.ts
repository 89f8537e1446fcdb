import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HistoryModel } from '../../../src/host/history/historyModel';
import type { RunRecord } from '../../../src/protocol/run';
import { RUN_RECORD_VERSION } from '../../../src/protocol/run';
import { OutputsVolume } from '../../../src/volume/outputsVolume';

describe('run history', () => {
  let root: string;
  let volume: OutputsVolume;
  let mirror: OutputsVolume;
  let history: HistoryModel;
  let reads: number;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tiny cats '));
    volume = new OutputsVolume(join(root, 'outputs'));
    mirror = new OutputsVolume(join(root, 'mirror'));
    reads = 0;
    history = new HistoryModel(() => {
      reads += 1;
      return Promise.resolve([
        { target: 'local', volume },
        { target: 'box', volume: mirror },
      ]);
    });
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const write = async (
    createdAtMs: number,
    change: Partial<RunRecord> = {},
    where = volume,
  ): Promise<RunRecord> => {
    const { runId, dir } = await where.createRun('classifier', new Date(createdAtMs));
    const record: RunRecord = {
      schemaVersion: RUN_RECORD_VERSION,
      runId,
      recipe: 'classifier',
      params: {},
      engine: 'cpu',
      device: '',
      target: 'local',
      containerId: 'c1',
      start: 'cold',
      state: 'training',
      createdAt: new Date(createdAtMs).toISOString(),
      checkpoints: [],
      pinned: false,
      ...change,
    };
    await where.writeRecord(dir, record);
    return record;
  };
  const ids = (): string[] => history.runs.map(({ record }) => record.runId);

  it('reads nothing before it is asked to, and then once', async () => {
    assert.equal(reads, 0);
    await Promise.all([history.ensureLoaded(), history.ensureLoaded()]);
    await history.ensureLoaded();
    assert.equal(reads, 1);
  });

  it('is newest first, also within a second', async () => {
    const start = Date.UTC(2026, 0, 31, 12);
    const records: RunRecord[] = [];
    for (let index = 0; index < 6; index += 1) {
      records.push(await write(start + index * 100));
    }
    await history.refresh();
    assert.deepEqual(ids(), records.map(({ runId }) => runId).reverse());
  });

  it('learns of a new run and of changes to a known one', async () => {
    const record = await write(0);
    await history.apply(record);
    assert.deepEqual(ids(), [record.runId]);
    await history.apply({ ...record, state: 'completed' });
    assert.equal(history.find(record.runId)?.record.state, 'completed');
  });

  it('does not take an ended run for a going one again, since an older reading came late', async () => {
    const record = await write(0);
    await history.refresh();
    const late = history.refresh();
    await history.apply({ ...record, state: 'failed' });
    await late;
    assert.equal(history.find(record.runId)?.record.state, 'failed');
    await history.apply(record);
    assert.equal(history.find(record.runId)?.record.state, 'failed');
  });

  it('finds the last cold start other than the shown one', async () => {
    const first = await write(0, { state: 'completed' });
    await write(1000, { state: 'completed', start: 'warm' });
    const last = await write(2000, { state: 'completed' });
    await history.refresh();
    assert.equal(history.newestColdRun(undefined)?.record.runId, last.runId);
    assert.equal(history.newestColdRun(last.runId)?.record.runId, first.runId);
  });

  it('is one for all targets, and knows where each run is', async () => {
    const here = await write(0, { state: 'completed' });
    const there = await write(1000, { state: 'completed' }, mirror);
    const last = await write(2000, { state: 'completed' });
    await history.refresh();
    assert.deepEqual(
      history.runs.map(({ record, target }) => [record.runId, target]),
      [
        [last.runId, 'local'],
        [there.runId, 'box'],
        [here.runId, 'local'],
      ],
    );
    assert.equal(history.volumeOf(there.runId), mirror);
    assert.equal(
      history.newestColdRun(last.runId)?.record.runId,
      here.runId,
      'starts of one target are compared',
    );
  });

  it('is empty again for another folder', async () => {
    await write(0);
    await history.refresh();
    history.reset();
    assert.deepEqual(ids(), []);
  });
});
