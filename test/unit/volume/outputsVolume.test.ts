import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { RunRecord } from '../../../src/protocol/run';
import { settleInterruptedRuns } from '../../../src/volume/interrupted';
import { OutputsVolume } from '../../../src/volume/outputsVolume';
import { applyRetention } from '../../../src/volume/retention';
import { recordOf } from './records';

const run = promisify(execFile);

describe('outputs volume', () => {
  let root: string;
  let volume: OutputsVolume;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tiny cats ä "out" '));
    volume = new OutputsVolume(root);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function put(
    changes: Partial<RunRecord> = {},
    now = new Date(),
  ): Promise<{ runId: string; dir: string }> {
    const made = await volume.createRun('classifier', now);
    await volume.writeRecord(made.dir, recordOf(made.runId, { createdAt: now.toISOString(), ...changes }));
    return made;
  }

  it('makes a folder for each run under recipe and local date, and finds it again', async () => {
    const now = new Date(2026, 0, 5, 9, 8, 7);
    const { runId, dir } = await volume.createRun('classifier', now);
    assert.match(runId, /^20260105-090807-[0-9a-f]{6}$/);
    assert.equal(dir, join(root, 'checkpoints', 'classifier', '2026-01-05', runId));
    assert.equal(await volume.findRun(runId), undefined, 'without a record there is no run');
    await volume.writeRecord(dir, recordOf(runId));
    assert.equal(await volume.findRun(runId), dir);
    assert.deepEqual(await volume.readRecord(dir), recordOf(runId));
    for (const odd of ['', '..', 'x', '20260105-090807-abcdef', '20260105-090807-abcdef/..']) {
      assert.equal(await volume.findRun(odd), undefined);
    }
  });

  it('lists runs newest first, those of one second included', async () => {
    const at = Date.parse('2026-01-05T10:00:00.100Z');
    const runs = [];
    for (const ms of [300, 0, 90_000_000, 200, 100]) {
      runs.push({ ms, ...(await put({}, new Date(at + ms))) });
    }
    const expected = runs.sort((a, b) => b.ms - a.ms).map(({ runId }) => runId);
    assert.deepEqual(
      (await volume.listRuns()).map(({ record }) => record.runId),
      expected,
    );
  });

  it('is empty where nothing is', async () => {
    assert.deepEqual(await new OutputsVolume(join(root, 'none')).listRuns(), []);
    assert.deepEqual(await volume.readRunEvents('20260105-090807-abcdef', 0), []);
  });

  it('leaves alone what is not its own, or what it cannot read, and never writes over it', async () => {
    const { runId, dir } = await put();
    const dated = dirname(dir);
    const foreign = [
      'checkpoints/notes.txt',
      'checkpoints/classifier/2020-01-01',
      'checkpoints/classifier/README',
    ];
    for (const path of foreign) {
      await writeFile(join(root, path), 'mine');
    }
    await mkdir(join(dated, 'scratch'));
    const newer = JSON.stringify({
      ...recordOf('20260105-090807-abcdef', { state: 'training' }),
      schemaVersion: 2,
    });
    const unreadable = new Map([
      ['20260105-090807-abcdef', newer],
      ['20260105-090807-abcde0', '{"schemaVersion":1,'],
      ['20260105-090807-abcde1', '[]'],
    ]);
    for (const [name, text] of unreadable) {
      await mkdir(join(dated, name));
      await writeFile(join(dated, name, 'run.json'), text);
      await writeFile(join(dated, name, 'best.safetensors'), 'weights');
    }
    assert.deepEqual(
      (await volume.listRuns()).map(({ record }) => [record.runId, record.newer]),
      [
        [runId, undefined],
        ['20260105-090807-abcdef', true],
      ],
    );
    assert.deepEqual(await settleInterruptedRuns(root, () => false), []);
    assert.deepEqual((await applyRetention(volume, 'classifier', 1)).removed, []);
    for (const [name, text] of unreadable) {
      assert.equal(await readFile(join(dated, name, 'run.json'), 'utf8'), text);
      assert.equal(await readFile(join(dated, name, 'best.safetensors'), 'utf8'), 'weights');
    }
  });

  it('reads a long history with as few files open as a process may have', async function () {
    if (process.platform === 'win32') {
      this.skip();
    }
    for (let start = 0; start < 400; start += 50) {
      await Promise.all(Array.from({ length: 50 }, () => put()));
    }
    const program = `
      const { OutputsVolume } = require(${JSON.stringify(resolve('src/volume/outputsVolume.ts'))});
      new OutputsVolume(process.argv[1]).listRuns().then((runs) => console.log(runs.length));
    `;
    const command = 'ulimit -n 128 && exec "$0" --import tsx --eval "$1" "$2"';
    const { stdout } = await run('sh', ['-c', command, process.execPath, program, root]);
    assert.equal(stdout.trim(), '400');
  });
});
