import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { runEventSchema } from '../../src/protocol/events';
import { runRecordSchema } from '../../src/protocol/run';
import { SHORT, Workplace, resultOf } from './cliWorkplace';

describe('tiny-cats', () => {
  let workplace: Workplace;
  before(() => {
    workplace = new Workplace('it\'s "my" kätzchen 猫');
    workplace.imageFolder('ein "Ordner" für 猫');
  });
  after(() => workplace.dispose());

  it('trains on a cold start and writes events, then the result, as JSON', async () => {
    const finished = await workplace.run('train', '--data-dir', 'ein "Ordner" für 猫', ...SHORT, '--json');
    assert.equal(finished.code, 0, finished.stderr);
    const events = finished.lines.slice(0, -1).map((line) => v.parse(runEventSchema, JSON.parse(line)));
    assert.deepEqual(
      events.map((event) => event.seq),
      events.map((_, index) => index + 1),
    );
    assert.equal(events[0]?.type, 'run');
    assert.equal(events.at(-1)?.type, 'result');
    const result = resultOf(finished);
    assert.equal(result.status, 'completed');
    assert.equal(result.start, 'cold');
    assert.ok(result.time_to_first_step_ms !== null && result.time_to_first_step_ms > 0);
    assert.ok(result.val_acc !== null && result.val_acc >= 0 && result.val_acc <= 1);
    assert.ok(result.output?.startsWith(join(workplace.cwd, 'outputs', 'checkpoints', 'classifier')));
    assert.ok(result.output !== null && existsSync(result.output));
  });

  it('finds the container warm the second time', async () => {
    const { code, stdout, stderr } = await workplace.run('rerun', '--seed', '7');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Run .*: classifier, warm start\n/);
    assert.match(stdout, /Data: .*ein "Ordner" für 猫: 20 images in 2 classes/);
    assert.match(
      stdout,
      /Epoch {3}1\/1 \| Train loss: \d+\.\d\d acc: \d\.\d\d \| Val loss: \d+\.\d\d acc: \d\.\d\d \| LR: \d\.\de-\d\d \| Time: \d+\.\ds\n/,
    );
    assert.match(stdout, /Best checkpoint: .*best\.safetensors\nWarm start, first step done after /);
    assert.doesNotMatch(stdout, /[^\P{Cc}\n]/u);
  });

  it('shows the container', async () => {
    const { code, stdout } = await workplace.run('status');
    assert.equal(code, 0);
    assert.match(stdout, /^State +warm\nEngine +\w+/);
    assert.match(stdout, /Runs ended +2\n/);
    assert.match(stdout, /process start +\d/);
  });

  it('lists the runs, newest first, and shows what is in a checkpoint', async () => {
    const runs = await workplace.json(v.array(runRecordSchema), 'runs');
    assert.deepEqual(
      runs.map(({ start, params }) => [start, params.seed]),
      [
        ['warm', 7],
        ['cold', 42],
      ],
    );
    const [newest] = runs;
    assert.ok(newest);
    assert.match((await workplace.run('runs', '--limit', '1')).stdout, /^RUN .*\n.* completed .* 1\/1 .*\n$/);

    const inspected = await workplace.run('inspect', newest.runId);
    assert.equal(inspected.code, 0, inspected.stderr);
    assert.match(inspected.stdout, /classes +\["cat","other, 'non' \\"cat\\""\]/);
    const header = await workplace.json(
      v.object({ path: v.string(), tensors: v.array(v.object({ name: v.string(), dtype: v.string() })) }),
      'inspect',
      newest.runId,
    );
    assert.ok(header.tensors.length > 0);
    assert.equal((await workplace.run('inspect', header.path)).stdout, inspected.stdout);
  });

  it('refuses arguments that make no sense before it starts anything', async () => {
    const { code, stdout, stderr } = await workplace.run('train', '--batch-size', '0');
    assert.equal(code, 2);
    assert.match(stderr, /--batch-size: expected a whole number/);
    assert.equal(stdout, '');
  });

  it('fails on a data folder that is missing or empty, and trains again after that', async () => {
    const missing = await workplace.run('train', '--data-dir', 'not here', ...SHORT, '--json');
    assert.equal(missing.code, 1);
    const { status, error } = resultOf(missing);
    assert.equal(status, 'failed');
    assert.equal(error?.code, 'data');
    assert.ok(error.message.includes(join(workplace.cwd, 'not here')), error.message);

    mkdirSync(join(workplace.cwd, 'empty'));
    const empty = await workplace.run('train', '--data-dir', 'empty', ...SHORT);
    assert.equal(empty.code, 1);
    assert.match(empty.stderr, /is empty/);
    assert.match((await workplace.run('runs', '--limit', '1')).stdout, / failed /);

    assert.equal((await workplace.run('rerun', '--data-dir', 'ein "Ordner" für 猫')).code, 0);
  });

  it('says why a container elsewhere cannot be started, and of none that it does not answer', async () => {
    mkdirSync(join(workplace.cwd, '.vscode'));
    const targets = [{ name: 'box', kind: 'docker', socket: '/nowhere/docker.sock' }];
    writeFileSync(
      join(workplace.cwd, '.vscode/settings.json'),
      JSON.stringify({ 'tinyCats.targets': targets }),
    );
    const { code, stderr } = await workplace.run('warm', ...SHORT, '--target', 'box');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^No Docker Engine answers at \/nowhere\/docker\.sock\. Mend it with: sudo systemctl/,
    );
    assert.doesNotMatch(stderr, /does not answer/);
  });

  it('lets the container go and warms a new one', async () => {
    assert.match((await workplace.run('cool')).stdout, /gone/);
    const cold = await workplace.run('status', '--json');
    assert.deepEqual([cold.code, cold.stdout], [0, '{"state":"cold"}\n']);
    const warm = await workplace.run('warm', ...SHORT);
    assert.equal(warm.code, 0, warm.stderr);
    assert.match(warm.stdout, /process start +\d[^]*\nWarm: \w+/);
  });
});
