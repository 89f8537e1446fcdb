import assert from 'node:assert/strict';
import type { ContainerClient } from '../../src/client/containerClient';
import { Following } from './support/following';
import { LONG, Place } from './support/place';
import { untilStatus } from './support/waiting';

describe('runs that wait for their turn', () => {
  let place: Place;
  let client: ContainerClient;
  before(async () => {
    place = await Place.make();
    client = place.client();
  });
  after(() => place.dispose());

  async function queue(values = {}): Promise<Following> {
    const params = place.params(values);
    return new Following(
      client,
      await client.train('classifier', params, place.options(), { whenBusy: 'queue' }),
    );
  }

  it('are refused unless they are willing to wait, and the choice is named', async () => {
    const run = await place.train(client, LONG);
    await assert.rejects(
      client.train('classifier', place.params(), place.options()),
      /trains run .* already\. Wait for it to end, stop it first, or queue the new run\./,
    );
    await client.stop(run.runId, false);
    await run.result();
  });

  it('train one after the other, in their order; one that is stopped before its turn never begins', async () => {
    const first = await place.train(client, LONG);
    await first.first('epoch');
    const [second, third, fourth] = [await queue(), await queue(LONG), await queue()];
    const ids = [second, third, fourth].map(({ runId }) => runId);
    assert.deepEqual((await client.request('status', {})).queue, ids);
    const waits = await second.first('state');
    assert.deepEqual([waits.state, waits.message], ['queued', `Waits for run ${first.runId} to end`]);
    const { runs } = await client.request('runs', {});
    assert.deepEqual(new Set(runs.slice(0, 4).map(({ state }) => state)), new Set(['queued', 'training']));

    await client.stop(third.runId, false);
    assert.equal((await third.result()).status, 'stopped');
    assert.deepEqual(third.all('epoch'), []);
    assert.deepEqual((await client.request('status', {})).queue, [second.runId, fourth.runId]);

    await client.stop(first.runId, false);
    const [stopped, done, last] = await Promise.all([first.result(), second.result(), fourth.result()]);
    assert.deepEqual([stopped.status, done.status, last.status], ['stopped', 'completed', 'completed']);
    assert.equal(done.start, 'warm');
    const begun = fourth.events.find(({ type }) => type === 'engine');
    assert.ok(begun && begun.time >= done.time);
    const status = await untilStatus(client, ({ state }) => state === 'warm');
    assert.deepEqual(status.queue, []);
  });

  it('end as stopped when the container is let go', async () => {
    const first = await place.train(client, LONG);
    await first.first('epoch');
    const second = await queue();
    await client.cool();
    assert.deepEqual([(await first.result()).status, (await second.result()).status], ['stopped', 'stopped']);
  });
});
