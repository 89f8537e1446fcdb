import assert from 'node:assert/strict';
import * as v from 'valibot';
import { runRecordSchema } from '../../src/protocol/run';
import { sweepRecordSchema } from '../../src/protocol/sweep';
import { SHORT, Workplace, sweepEndSchema } from './cliWorkplace';

describe('tiny-cats sweep', () => {
  let workplace: Workplace;
  before(() => {
    workplace = new Workplace('sweep "ä"');
    workplace.imageFolder('images');
  });
  after(() => workplace.dispose());

  it('trains each combination, tells each end and compares them at the end', async () => {
    const { code, lines, stderr } = await workplace.run(
      ...['sweep', '--data-dir', 'images', ...SHORT, '--seed', '1,2', '--jobs', '1', '--json'],
    );
    assert.equal(code, 0, stderr);
    assert.equal(lines.length, 3);
    const end = v.parse(sweepEndSchema, JSON.parse(lines.at(-1) ?? ''));
    assert.equal(end.status, 'completed');
    assert.equal(end.best.best, Math.max(...end.trials.map(({ best }) => best ?? -1)));
    const [listed] = await workplace.json(v.array(sweepRecordSchema), 'sweeps');
    assert.equal(listed?.sweepId, end.sweep_id);
    const runs = await workplace.json(v.array(runRecordSchema), 'runs');
    assert.deepEqual(
      runs.map(({ sweep }) => [sweep?.sweepId, sweep?.trial]),
      [
        [end.sweep_id, 1],
        [end.sweep_id, 0],
      ],
    );
    const { stdout } = await workplace.run('sweeps', end.sweep_id);
    assert.match(stdout, /^SEED +VAL ACC +LOSS +EPOCHS +DURATION +STATE +RUN\n/);
    assert.match(stdout, /completed: 2 of 2 trainings done, best val acc \d\.\d{4}\.\n$/);
  });

  it('refuses what cannot be swept over, naming it, and makes no sweep', async () => {
    const before = await workplace.json(v.array(sweepRecordSchema), 'sweeps');
    for (const [args, said] of [
      [['--lr', '1e-3'], /needs a parameter with more than one value/],
      [['--lr', '1e-3,x'], /--lr: expected a number.*got "x"/],
      [['--backbone', 'tiny_cnn,tiny_dog'], /--backbone: expected one of .*got "tiny_dog"/],
      [['--seed', Array.from({ length: 1001 }, (_, seed) => seed).join(',')], /1001 trainings; at most 1000/],
    ] as const) {
      const { code, stderr } = await workplace.run('sweep', '--data-dir', 'images', ...args);
      assert.equal(code, 2);
      assert.match(stderr, said);
    }
    assert.deepEqual(await workplace.json(v.array(sweepRecordSchema), 'sweeps'), before);
  });

  it('stops as a whole with Ctrl+C', async () => {
    const sweep = workplace.start(
      ...['sweep', '--data-dir', 'images', ...SHORT, '--epochs', '10000', '--seed', '1,2,3', '--jobs', '1'],
    );
    await sweep.until(/^Sweep sweep-/);
    sweep.child.kill('SIGINT');
    const { code, stdout } = await sweep.finished;
    assert.equal(code, 130);
    assert.match(stdout, /stopped: 3 of 3 trainings done/);
  });
});
