import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEventBody } from '../../../src/protocol/events';
import type { RunRecord } from '../../../src/protocol/run';
import { EventLogWriter, readEvents } from '../../../src/volume/eventLog';
import { settleInterruptedRuns } from '../../../src/volume/interrupted';
import { OutputsVolume } from '../../../src/volume/outputsVolume';
import { recordOf } from './records';

const EPOCH: RunEventBody = {
  type: 'epoch',
  epoch: 1,
  epochs: 2,
  train_loss: 1,
  train_acc: 0.5,
  val_loss: 1,
  val_acc: 0.75,
  lr: 0.1,
  images_per_second: 1,
  time_s: 1,
};
const BEST = { kind: 'best', file: 'best.safetensors', bytes: 9, epoch: 1, val_acc: 0.75 } as const;

describe('runs of a container that died', () => {
  let root: string;
  let volume: OutputsVolume;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tiny cats ä "dead" '));
    volume = new OutputsVolume(root);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function run(
    bodies: RunEventBody[],
    changes: Partial<RunRecord> = {},
  ): Promise<{ runId: string; dir: string }> {
    const made = await volume.createRun('classifier', new Date());
    await volume.writeRecord(made.dir, recordOf(made.runId, { state: 'training', ...changes }));
    const log = new EventLogWriter(join(made.dir, 'events.jsonl'), made.runId);
    bodies.forEach((body) => log.append(body));
    log.close();
    return made;
  }

  it('are marked as failed in log and record, with what the log knows and the record does not yet', async () => {
    const { runId, dir } = await run([
      { type: 'first_step', time_to_first_step_ms: 12 },
      EPOCH,
      { type: 'checkpoint', ...BEST },
    ]);
    assert.deepEqual(await settleInterruptedRuns(root, () => false), [runId]);
    const record = await volume.readRecord(dir);
    assert.equal(record?.state, 'failed');
    assert.deepEqual(record.checkpoints, [BEST]);
    assert.deepEqual(record.best, { epoch: 1, val_acc: 0.75 });
    assert.deepEqual(
      { ...record.result, error: undefined },
      {
        status: 'failed',
        output: join(dir, 'best.safetensors'),
        val_acc: 0.75,
        start: 'cold',
        time_to_first_step_ms: 12,
        error: undefined,
      },
    );
    assert.equal(record.result?.error?.code, 'container_died');
    const events = await readEvents(join(dir, 'events.jsonl'));
    assert.deepEqual(
      events.map(({ seq, type }) => [seq, type]),
      [
        [1, 'first_step'],
        [2, 'epoch'],
        [3, 'checkpoint'],
        [4, 'log'],
        [5, 'result'],
      ],
    );
    assert.deepEqual(await settleInterruptedRuns(root, () => false), []);
  });

  it('keep their result if they had ended and only the record was late', async () => {
    const result = {
      status: 'completed',
      output: '/best',
      val_acc: 0.75,
      start: 'cold',
      time_to_first_step_ms: 12,
    } as const;
    const { runId, dir } = await run([EPOCH, { type: 'result', ...result }]);
    const before = await readFile(join(dir, 'events.jsonl'), 'utf8');
    assert.deepEqual(await settleInterruptedRuns(root, () => false), [runId]);
    const record = await volume.readRecord(dir);
    assert.equal(record?.state, 'completed');
    assert.deepEqual(record.result, result);
    assert.equal(await readFile(join(dir, 'events.jsonl'), 'utf8'), before);
  });

  it('are left alone while a container may work on them, and once they have ended', async () => {
    const { dir } = await run([EPOCH]);
    const ended = await run([EPOCH], { state: 'stopped' });
    assert.deepEqual(await settleInterruptedRuns(root, (record) => record.containerId === 'c'), []);
    assert.equal((await volume.readRecord(dir))?.state, 'training');
    assert.equal((await volume.readRecord(ended.dir))?.state, 'stopped');
  });

  it('end once for a reader, however many settle them at the same moment', async () => {
    const { dir } = await run([EPOCH]);
    await Promise.all(Array.from({ length: 5 }, () => settleInterruptedRuns(root, () => false)));
    const events = await readEvents(join(dir, 'events.jsonl'));
    assert.deepEqual(
      events.map(({ type }) => type),
      ['epoch', 'log', 'result'],
    );
    assert.equal((await volume.readRecord(dir))?.state, 'failed');
  });

  it('do not keep each other from being settled', async () => {
    const broken = await run([EPOCH]);
    const fine = await run([EPOCH]);
    await rm(join(broken.dir, 'events.jsonl'));
    await mkdir(join(broken.dir, 'events.jsonl'));
    assert.deepEqual(await settleInterruptedRuns(root, () => false), [fine.runId]);
    assert.equal((await volume.readRecord(fine.dir))?.state, 'failed');
    assert.equal((await volume.readRecord(broken.dir))?.state, 'training');
  });
});
