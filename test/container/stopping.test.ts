import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { ContainerClient } from '../../src/client/containerClient';
import { readHeader } from '../../src/volume/safetensors';
import { LONG, Place } from './support/place';
import { Following } from './support/following';
import { untilCold, untilStatus } from './support/waiting';

describe('stopping', () => {
  let place: Place;
  let client: ContainerClient;
  before(async () => {
    place = await Place.make();
    client = place.client();
  });
  after(() => place.dispose());

  async function stateOnDisk(runId: string): Promise<string | undefined> {
    return (await place.volume.readRecord(await place.runDir(runId)))?.state;
  }

  it('ends a run that is still queued at once, and it never begins', async () => {
    const run = await place.train(client, LONG);
    assert.equal(client.status?.state, 'warming');
    await client.stop(run.runId, false);
    const { status, output, time_to_first_step_ms } = await run.result();
    assert.deepEqual([status, output, time_to_first_step_ms], ['stopped', null, null]);
    assert.equal(await stateOnDisk(run.runId), 'stopped');
    await untilStatus(client, ({ state }) => state === 'warm');
    assert.deepEqual(run.all('epoch'), []);
  });

  it('finishes the step, saves a checkpoint that can be read, and the container stays warm', async () => {
    const run = await place.train(client, LONG);
    await run.first('epoch', ({ epoch }) => epoch === 2);
    await client.stop(run.runId, false);
    const { status, output, val_acc, error } = await run.result();
    assert.equal(status, 'stopped');
    assert.equal(error, undefined);
    assert.deepEqual(
      run.all('state').map(({ state }) => state),
      ['queued', 'preparing', 'training', 'stopping'],
    );
    const dir = await place.runDir(run.runId);
    assert.equal(output, join(dir, 'best.safetensors'));
    assert.equal(val_acc, Math.max(...run.all('epoch').map((epoch) => epoch.val_acc ?? 0)));
    const { metadata } = await readHeader(join(dir, 'last.safetensors'));
    assert.equal(metadata.epoch, String(run.all('epoch').length));

    const next = await place.train(client);
    assert.equal((await next.result()).start, 'warm');
    assert.equal(await stateOnDisk(run.runId), 'stopped');
  });

  it('kills a run that does not stop, and the container warms up again', async () => {
    const run = await place.train(client, LONG);
    await run.first('checkpoint', ({ kind }) => kind === 'best');
    const { trainerPid } = await client.request('status', {});
    assert.ok(trainerPid);
    // A step that does not end.
    process.kill(trainerPid, 'SIGSTOP');
    await client.stop(run.runId, false);
    await run.first('state', ({ state }) => state === 'stopping');
    assert.equal((await client.request('status', {})).run?.runId, run.runId);
    await client.stop(run.runId, true);
    const { status, output, error } = await run.result();
    assert.deepEqual([status, error], ['stopped', undefined]);
    assert.equal(output, join(await place.runDir(run.runId), 'best.safetensors'));
    await untilStatus(client, ({ state, runs }) => state === 'warm' && runs > 0);
    assert.equal((await (await place.train(client)).result()).status, 'completed');
  });

  it('answers, and refuses a second run, during a step that takes long', async () => {
    const run = await place.train(client, LONG);
    await run.first('epoch');
    const { trainerPid } = await client.request('status', {});
    assert.ok(trainerPid);
    process.kill(trainerPid, 'SIGSTOP');
    try {
      const other = place.client();
      assert.equal(await other.connect(), true);
      assert.equal(other.status?.state, 'training');
      assert.equal(other.status.run?.runId, run.runId);
      await assert.rejects(other.train('classifier', place.params(), place.options()), (error: Error) => {
        assert.match(error.message, new RegExp(`trains run ${run.runId} already`));
        return true;
      });
    } finally {
      process.kill(trainerPid, 'SIGCONT');
    }
    await client.stop(run.runId, false);
    assert.equal((await run.result()).status, 'stopped');
    await untilStatus(client, (status) => status.run === null);
    await assert.rejects(client.stop(run.runId, false), /has ended or never was/);
  });

  it('lets one of several win that train at the same moment, and leaves no trace of the others', async () => {
    await client.start(place.options());
    const before = (await place.volume.listRuns()).length;
    const asked = await Promise.allSettled(
      Array.from({ length: 4 }, () =>
        client.request('train', { recipe: 'classifier', params: place.params(LONG) }),
      ),
    );
    const accepted = asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.runId] : []));
    assert.equal(accepted.length, 1);
    for (const answer of asked) {
      if (answer.status === 'rejected') {
        assert.match(String(answer.reason), new RegExp(`trains run ${accepted[0] ?? ''} already`));
      }
    }
    assert.equal((await place.volume.listRuns()).length, before + 1);
    const run = new Following(client, accepted[0] ?? '');
    await run.first('epoch');
    await client.stop(run.runId, false);
    await run.result();
  });

  it('takes the next run as soon as the result of the last one is known', async () => {
    for (let times = 0; times < 4; times += 1) {
      const run = await place.train(client);
      assert.equal((await run.result()).status, 'completed');
    }
  });

  it('stops the run first when the container is let go, and then the container is gone', async () => {
    const run = await place.train(client, LONG);
    await run.first('epoch');
    await client.cool();
    await untilCold(client);
    const { status, error } = await run.result();
    assert.deepEqual([status, error], ['stopped', undefined]);
    assert.equal(await stateOnDisk(run.runId), 'stopped');
    await readHeader(join(await place.runDir(run.runId), 'last.safetensors'));
    assert.equal(await place.client().connect(), false);
  });
});
