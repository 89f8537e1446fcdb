import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { runRecordSchema } from '../../src/protocol/run';
import { SHORT, Workplace, resultOf, sweepEndSchema } from '../container/cliWorkplace';
import { Sshd, sshdObstacle } from './support/sshd';

const ON_BOX = ['--target', 'box'] as const;
const BIG_BYTES = 96_000_000;

describe('tiny-cats on an SSH box', function () {
  this.timeout(120_000);
  let workplace: Workplace;
  let formerPath: string | undefined;
  const close: (() => unknown)[] = [];
  before(async function () {
    const obstacle = sshdObstacle();
    if (obstacle !== undefined) {
      console.log(`      not tested here: ${obstacle}`);
      this.skip();
    }
    const sshd = await Sshd.start();
    close.push(() => sshd.stop());
    await sshd.client();
    formerPath = process.env.PATH;
    process.env.PATH = `${sshd.dir}:${formerPath ?? ''}`;
    close.push(() => (process.env.PATH = formerPath));
    workplace = new Workplace();
    workplace.imageFolder('photos');
    const folder = join(workplace.cwd, '..', 'far side');
    await mkdir(join(workplace.cwd, '.vscode'));
    await writeFile(
      join(workplace.cwd, '.vscode', 'settings.json'),
      JSON.stringify({ 'tinyCats.targets': [{ name: 'box', kind: 'ssh', host: 'box', folder }] }),
    );
    close.unshift(async () => {
      await workplace.run('cool', ...ON_BOX);
      await workplace.dispose();
    });
  });
  after(async () => {
    for (const one of close) {
      await one();
    }
  });

  const train = ['train', '--data-dir', 'photos', ...ON_BOX, ...SHORT] as const;

  it('says what it sends, lists the run, and fetches its checkpoint when it is asked for, once', async () => {
    const trained = await workplace.run(...train, '--json');
    assert.equal(trained.code, 0, trained.stderr);
    assert.match(trained.stderr, /^Sending 20 files \(\d.*B\)$/m);
    assert.match(trained.stderr, /^Sent 20 files \(\d.*\) in /m);
    const runId = resultOf(trained).run_id ?? '';

    const [listed] = await workplace.json(v.array(runRecordSchema), 'runs', ...ON_BOX);
    assert.equal(listed?.runId, runId);
    assert.equal(listed.state, 'completed');
    assert.deepEqual(await workplace.json(v.array(v.unknown()), 'runs'), []);

    const inspected = await workplace.run('inspect', runId, ...ON_BOX);
    assert.equal(inspected.code, 0, inspected.stderr);
    assert.match(inspected.stderr, new RegExp(`^Fetched best.safetensors of run ${runId} from box \\(`, 'm'));
    assert.match(inspected.stdout, /\d+ tensors, /);
    const scored = await workplace.run('eval', runId, '--data-dir', 'photos', ...ON_BOX);
    assert.equal(scored.code, 0, scored.stderr);
    assert.ok(!scored.stderr.includes('Fetch'), 'it is here already');
    assert.match(scored.stdout, /accuracy/i);
  });

  it('starts no container for a checkpoint, and says how to', async () => {
    const { run_id: runId = '' } = resultOf(await workplace.run(...train, '--json'));
    await workplace.run('cool', ...ON_BOX);
    const { code, stderr } = await workplace.run('inspect', runId, ...ON_BOX);
    assert.equal(code, 1);
    assert.match(stderr, /no container is warm.*tiny-cats warm --target "box"/);
    const [listed] = await workplace.json(v.array(runRecordSchema), 'runs', ...ON_BOX);
    assert.equal(listed?.runId, runId, 'history needs none');
  });

  it('sweeps over what is on this machine, on two containers there, and lists the runs', async () => {
    const args = [
      'sweep',
      '--data-dir',
      'photos',
      ...ON_BOX,
      ...SHORT,
      '--seed',
      '1,2,3',
      '--jobs',
      '2',
      '--json',
    ];
    const { code, lines, stderr } = await workplace.run(...args);
    assert.equal(code, 0, stderr);
    const { sweep_id: sweepId, status, trials } = v.parse(sweepEndSchema, JSON.parse(lines.at(-1) ?? ''));
    assert.equal(status, 'completed');
    assert.deepEqual(
      trials.map(({ state, best }) => [state, typeof best]),
      [1, 2, 3].map(() => ['completed', 'number']),
    );
    const runs = await workplace.json(v.array(runRecordSchema), 'runs', ...ON_BOX);
    const swept = runs.filter(({ sweep }) => sweep?.sweepId === sweepId);
    assert.equal(swept.length, 3);
    assert.equal(new Set(swept.map(({ containerId }) => containerId)).size, 2);
  });

  it('sweeps over the parameters of the user’s own code, which is sent there', async function () {
    if (spawnSync('python3', ['-c', 'import sys; assert sys.version_info >= (3, 9)']).status !== 0) {
      console.log('      not tested here: there is no Python 3.9 or newer');
      this.skip();
    }
    await mkdir(join(workplace.cwd, 'src'));
    const source = 'def train(scale: float = 1.0):\n    print(f"Epoch 1/1 | Val loss: 0.5 acc: {scale}")\n';
    await writeFile(join(workplace.cwd, 'src', 'train.py'), source);
    const args = ['sweep', 'src/train.py:train', ...ON_BOX, '--scale', '0.25,0.75', '--jobs', '1', '--json'];
    const { code, lines, stderr } = await workplace.run(...args);
    assert.equal(code, 0, stderr);
    const { best, trials } = v.parse(sweepEndSchema, JSON.parse(lines.at(-1) ?? ''));
    assert.deepEqual(
      trials.map((trial) => trial.best),
      [0.25, 0.75],
    );
    assert.deepEqual(best.values, { scale: 0.75 });
  });

  it('ends with 130 when Ctrl+C breaks the sending off, and sends the rest the next time', async () => {
    await workplace.run('warm', ...ON_BOX);
    const big = join(workplace.cwd, 'photos', 'cat', 'notes.bin');
    await writeFile(big, randomBytes(BIG_BYTES));
    const broken = workplace.start(...train, '--json');
    await broken.until(/Sending 1 file /);
    broken.child.kill('SIGINT');
    const { code, lines, stderr } = await broken.finished;
    assert.equal(code, 130, stderr);
    assert.match(lines.at(-1) ?? '', /"code":"cancelled"/);
    const again = await workplace.run(...train);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /^Sent 1 file /m);
    await rm(big);
  });
});
