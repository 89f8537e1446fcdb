import assert from 'node:assert/strict';
import * as v from 'valibot';
import { containerStatusSchema } from '../../src/protocol/container';
import { runRecordSchema } from '../../src/protocol/run';
import type { RunRecord } from '../../src/protocol/run';
import { LONG, SHORT, Workplace, resultOf } from './cliWorkplace';
import { until, untilTrue } from './support/waiting';

const AN_EPOCH = /"type":"epoch"|^Epoch/;

describe('tiny-cats, interrupted', () => {
  let workplace: Workplace;
  beforeEach(() => {
    workplace = new Workplace();
    workplace.imageFolder('cats');
  });
  afterEach(() => workplace.dispose());

  const train = ['train', '--data-dir', 'cats'] as const;

  async function newestRun(): Promise<RunRecord> {
    const [newest] = await workplace.json(v.array(runRecordSchema), 'runs');
    assert.ok(newest);
    return newest;
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`stops the run on ${signal} and ends with 130`, async () => {
      const training = workplace.start(...train, ...LONG);
      await training.until(AN_EPOCH);
      training.child.kill(signal);
      const { code, stdout, stderr } = await training.finished;
      assert.equal(code, 130);
      assert.match(stderr, /Stopping after this step/);
      assert.match(stdout, /\nStopped after .*\nBest checkpoint: /);
      assert.equal((await newestRun()).state, 'stopped');
    });
  }

  it('kills the run on the second Ctrl+C, and the container goes on', async () => {
    const training = workplace.start(...train, ...LONG, '--json');
    await training.until(AN_EPOCH);
    training.child.kill('SIGINT');
    await training.until(/Stopping after/);
    training.child.kill('SIGINT');
    const finished = await training.finished;
    assert.equal(finished.code, 130);
    assert.equal(resultOf(finished).status, 'stopped');
    assert.equal((await workplace.run(...train, ...SHORT)).code, 0);
  });

  it('tells of a container that was killed in the middle, and trains again', async () => {
    const training = workplace.start(...train, ...LONG, '--json');
    await training.until(AN_EPOCH);
    process.kill((await workplace.json(containerStatusSchema, 'status')).pid, 'SIGKILL');
    const finished = await training.finished;
    assert.equal(finished.code, 1);
    const result = resultOf(finished);
    assert.equal(result.status, 'failed');
    assert.equal(result.error?.code, 'container_died');
    const record = await newestRun();
    assert.equal(record.runId, result.run_id);
    assert.equal(record.state, 'failed');

    const next = await workplace.run(...train, ...SHORT, '--json');
    assert.equal(next.code, 0, next.stderr);
    assert.equal(resultOf(next).start, 'cold');
  });

  it('refuses a second training while one runs', async () => {
    const first = workplace.start(...train, ...LONG);
    await first.until(AN_EPOCH);
    const second = await workplace.run(...train, ...SHORT, '--json');
    assert.equal(second.code, 1);
    assert.equal(resultOf(second).error?.code, 'busy');
    assert.match(second.stderr, /trains run .* already[^]*"tiny-cats stop"/);

    const stopped = await workplace.run('stop');
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.match(stopped.stdout, /^Run .* stopped\. Best checkpoint: /);
    assert.equal((await first.finished).code, 130);
  });

  it('kills the run that is told to stop a second time, by whichever command', async () => {
    assert.equal((await workplace.run(...train, ...LONG, '--detach')).code, 0);
    const trainerPid = await until(async () => {
      const { run, trainerPid: pid } = await workplace.json(containerStatusSchema, 'status');
      return (run?.step ?? 0) > 0 ? (pid ?? undefined) : undefined;
    });
    // A step that does not end.
    process.kill(trainerPid, 'SIGSTOP');
    const first = workplace.start('stop');
    await untilTrue(
      async () => (await workplace.json(containerStatusSchema, 'status')).run?.stopping === true,
    );
    const second = await workplace.run('stop');
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stdout, /^Run .* stopped\./);
    assert.equal((await first.finished).code, 0);
    assert.equal((await newestRun()).state, 'stopped');
  });

  it('leaves a detached run going in the container', async () => {
    const { code, stdout } = await workplace.run(...train, ...LONG, '--detach');
    assert.equal(code, 0);
    const status = await workplace.json(containerStatusSchema, 'status');
    assert.equal(status.run?.runId, stdout.trim());
    assert.equal((await workplace.run('stop', '--kill')).code, 0);
    assert.equal((await newestRun()).state, 'stopped');
  });

  it('leaves the run going when nobody reads the output any more', async () => {
    const training = workplace.start(...train, ...LONG, '--json');
    await training.until(AN_EPOCH);
    training.child.stdout?.destroy();
    const { code, stderr } = await training.finished;
    assert.equal(code, 141);
    assert.equal(stderr, '');
    assert.notEqual((await workplace.json(containerStatusSchema, 'status')).run, null);
  });

  it('leaves the run going when the terminal is closed', async () => {
    const training = workplace.start(...train, ...LONG);
    await training.until(AN_EPOCH);
    training.child.kill('SIGHUP');
    await training.finished;
    assert.notEqual((await workplace.json(containerStatusSchema, 'status')).run, null);
  });
});
