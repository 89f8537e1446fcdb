import assert from 'node:assert/strict';
import { Place } from './support/place';
import { until, untilCold, untilStatus } from './support/waiting';

const PRICED = { scaledownWindowMs: 120_000, pricePerHour: 3600, keepDates: 5 };

describe('what a container costs', () => {
  let place: Place;
  beforeEach(async () => {
    place = await Place.make();
  });
  afterEach(() => place.dispose());

  it('is told with how long it was up, warm and training, and kept for each run', async () => {
    const client = place.client();
    await client.start(place.options({ settings: PRICED }));
    await untilStatus(client, ({ state }) => state === 'warm');
    const run = await place.train(client);
    await run.result();
    const record = await until(async () => {
      const stored = await place.volume.readRecord(await place.runDir(run.runId));
      return stored?.endedAt === undefined ? undefined : stored;
    });
    const trainingMs = record.trainingMs ?? 0;
    assert.ok(trainingMs > 0);
    // At 3600 dollars an hour a second is a dollar.
    assert.ok(Math.abs((record.cost ?? 0) - trainingMs / 1000) < 1e-9);
    const { usage, pricePerHour, leftWarm } = await client.request('status', {});
    assert.ok(usage);
    assert.equal(pricePerHour, 3600);
    assert.equal(leftWarm, null);
    assert.ok(usage.trainingMs > 0 && usage.trainingMs <= usage.warmMs);
    assert.ok(usage.warmMs < usage.upMs);
  });
});

describe('a container that is left warm for too long', () => {
  let place: Place;
  beforeEach(async () => {
    place = await Place.make();
  });
  afterEach(() => place.dispose());

  it('asks once, and is let go by itself when nobody answers', async () => {
    const client = place.client();
    const asked: boolean[] = [];
    client.on('change', () => {
      const asks = (client.status?.leftWarm ?? null) !== null;
      if (asks !== asked.at(-1)) {
        asked.push(asks);
      }
    });
    await client.start(place.options({ settings: { ...PRICED, maxWarmMs: 300, warmGraceMs: 600 } }));
    await untilCold(client);
    assert.deepEqual(asked, [false, true, false]);
    assert.equal(client.problem, null);
  });

  it('stays for its scaledown window if it is to be kept, and asks again after the next run', async () => {
    const client = place.client();
    await client.start(place.options({ settings: { ...PRICED, maxWarmMs: 200, warmGraceMs: 60_000 } }));
    const asking = await untilStatus(client, ({ leftWarm }) => (leftWarm ?? null) !== null);
    assert.ok((asking.leftWarm?.letGoInMs ?? 0) > 0);
    await client.request('keepWarm', {});
    assert.equal((await client.request('status', {})).leftWarm, null);
    await (await place.train(client)).result();
    await untilStatus(client, ({ leftWarm, state }) => state === 'warm' && (leftWarm ?? null) !== null);
  });
});
