import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isResumable } from '../../../src/protocol/run';
import { settleInterruptedRuns } from '../../../src/volume/interrupted';
import { OutputsVolume } from '../../../src/volume/outputsVolume';
import { applyRetention } from '../../../src/volume/retention';
import { recordOf } from './records';

describe('a run.json of a newer version', () => {
  let root: string;
  let volume: OutputsVolume;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tiny cats newer '));
    volume = new OutputsVolume(root);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function newer(changes: object): Promise<{ runId: string; path: string; text: string }> {
    const { runId, dir } = await volume.createRun('classifier', new Date());
    const text = JSON.stringify({ ...recordOf(runId), schemaVersion: 99, ...changes });
    const path = join(dir, 'run.json');
    await writeFile(path, text);
    return { runId, path, text };
  }

  it('is listed with what can be understood of it', async () => {
    const { runId } = await newer({ state: 'failed', best: { epoch: 3, val_acc: 0.5 }, colour: 'blue' });
    const odd = await newer({ state: 'dreaming', params: [null], best: 7, checkpoints: {}, createdAt: 5 });
    const listed = await volume.listRuns();
    const known = listed.find(({ record }) => record.runId === runId)?.record;
    assert.deepEqual([known?.state, known?.best?.epoch, known?.newer], ['failed', 3, true]);
    const unknown = listed.find(({ record }) => record.runId === odd.runId)?.record;
    assert.ok(unknown);
    assert.deepEqual([unknown.params, unknown.best, unknown.checkpoints], [{}, undefined, []]);
    assert.ok(!Number.isNaN(Date.parse(unknown.createdAt)));
  });

  it('is never written, nor are its checkpoints removed or gone on from', async () => {
    const last = { kind: 'last', file: 'last.safetensors', bytes: 1, epoch: 1, val_acc: 1 };
    const { path, text } = await newer({ state: 'training', checkpoints: [last] });
    assert.deepEqual(await settleInterruptedRuns(root, () => false), []);
    await applyRetention(volume, 'classifier', 1);
    const [listed] = await volume.listRuns();
    assert.ok(listed);
    assert.equal(isResumable({ ...listed.record, state: 'failed' }), false);
    await assert.rejects(volume.writeRecord(listed.dir, listed.record), /newer version/);
    assert.equal(await volume.readRecord(listed.dir), undefined);
    assert.equal(await readFile(path, 'utf8'), text);
  });
});
