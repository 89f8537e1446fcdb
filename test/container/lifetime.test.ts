import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import type { Link } from '../../src/client/containerClient';
import { publishDescriptor } from '../../src/targets/local/descriptor';
import { containerDir } from '../../src/targets/local/paths';
import { LONG, Place } from './support/place';
import { endOf, untilCold, untilStatus } from './support/waiting';

const BRIEF = { scaledownWindowMs: 1000, keepDates: 5 };

describe('the life of a container', () => {
  let place: Place;
  beforeEach(async () => {
    place = await Place.make();
  });
  afterEach(() => place.dispose());

  it('ends by itself after the scaledown window, and whoever is connected sees it go in peace', async () => {
    const client = place.client();
    const links: Link[] = [];
    client.on('change', () => links.push(client.link));
    await client.start(place.options({ settings: BRIEF }));
    const { pid, trainerPid } = await untilStatus(client, ({ state }) => state === 'warm');
    assert.ok(trainerPid);
    const ended = [endOf(pid), endOf(trainerPid)];
    await untilCold(client);
    await Promise.all(ended.map((gone) => gone()));
    assert.ok(!links.includes('reconnecting'), links.join());
    assert.equal(client.problem, null);
    const left = await readdir(containerDir(place.outputsDir));
    assert.deepEqual(left, ['container.log']);
  });

  it('does not count the time in which it trains', async () => {
    const client = place.client();
    const params = place.params(LONG);
    const options = place.options({ settings: BRIEF, hint: { recipe: 'classifier', params } });
    await client.start(options);
    const run = await place.train(client, LONG);
    await client.request('configure', BRIEF);
    const begun = await run.first('epoch');
    await run.first('epoch', ({ time }) => time > begun.time + 2 * BRIEF.scaledownWindowMs);
    const status = await client.request('status', {});
    assert.equal(status.idleRemainingMs, null);
    await client.stop(run.runId, false);
    await run.result();
    await untilCold(client);
  });

  it('takes a window longer than any timer', async () => {
    const client = place.client();
    await client.start(place.options({ settings: { ...BRIEF, scaledownWindowMs: 1e10 } }));
    await untilStatus(client, ({ state }) => state === 'warm');
    assert.ok(((await client.request('status', {})).idleRemainingMs ?? 0) > 9e9);
    assert.equal((await (await place.train(client)).result()).status, 'completed');
  });

  it('keeps the settings of one client where another does not say', async () => {
    const first = place.client();
    await first.start(place.options({ settings: { scaledownWindowMs: 77_000 } }));
    const second = place.client('another');
    await second.train('classifier', place.params(), place.options({ settings: { keepDates: 1 } }));
    await untilStatus(second, ({ state }) => state === 'warm');
    assert.equal((await first.request('status', {})).scaledownWindowMs, 77_000);
    await second.start(place.options({ settings: { scaledownWindowMs: 88_000 } }));
    assert.equal((await first.request('status', {})).scaledownWindowMs, 88_000);
  });

  it('is one for eight processes that start it at the same moment, and they end when they are done', async () => {
    place.target();
    const processes = Array.from({ length: 8 }, () =>
      spawn(
        process.execPath,
        [
          '--import',
          'tsx',
          resolve(__dirname, 'support/starter.ts'),
          place.bundleDir,
          place.outputsDir,
          place.dataDir,
        ],
        { cwd: resolve(__dirname, '../..'), stdio: ['ignore', 'pipe', 'inherit'] },
      ),
    );
    const said = await Promise.all(
      processes.map(async (child) => {
        const chunks: string[] = [];
        child.stdout.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
        const ended: unknown[] = await once(child, 'close');
        assert.equal(ended[0], 0);
        return chunks.join('').trim();
      }),
    );
    assert.equal(new Set(said).size, 1, said.join('\n'));
    const client = place.client();
    assert.ok(await client.connect());
    assert.equal(client.status?.containerId, said[0]);
  });

  it('takes the place of one that died, whose descriptor is still there', async () => {
    const client = place.client();
    const dir = containerDir(place.outputsDir);
    await publishDescriptor(dir, {
      containerId: 'dead',
      pid: 2 ** 22 - 1,
      pidStartTime: 1,
      port: 9,
      token: 'x',
      version: '0.0.0',
      outputsDir: place.outputsDir,
    });
    assert.equal(await client.connect(), false);
    assert.equal(existsSync(join(dir, 'container.json')), false);
    await client.start(place.options());
    assert.notEqual(client.status?.containerId, 'dead');
  });

  it('says what to do about a port that is taken, and starts with another', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const client = place.client();
    await assert.rejects(
      client.start(place.options({ port })),
      (error: Error) =>
        /Port \d+ on 127\.0\.0\.1 is already taken.*--port/.test(error.message) &&
        error.name === 'ContainerStartError',
    );
    taken.close();
    await once(taken, 'close');
    await client.start(place.options({ port }));
    assert.equal((await client.target.find())?.url, `ws://127.0.0.1:${port}/`);
    const other = place.client();
    await other.start(place.options({ port }));
    assert.equal(other.status?.containerId, client.status?.containerId);
  });

  it('tells why it cannot train, also once it is gone, and the next one does better', async () => {
    const client = place.client();
    const asked = client.train('classifier', place.params(), place.options({ engine: 'tensorflow' }));
    await asked.catch((error: unknown) => assert.match(String(error), /engine "tensorflow" cannot be used/));
    await untilCold(client);
    assert.match(client.problem ?? '', /engine "tensorflow" cannot be used/);
    for (const { record } of await place.volume.listRuns()) {
      assert.equal(record.state, 'failed');
      assert.match(record.result?.error?.message ?? '', /engine "tensorflow" cannot be used/);
    }
    const run = await place.train(client);
    assert.equal((await run.result()).status, 'completed');
    assert.equal(client.problem, null);
  });

  it('is made anew for who asks while the old one is being let go', async () => {
    const first = place.client();
    const second = place.client();
    const run = await place.train(first, LONG);
    await run.first('epoch');
    await second.connect();
    const former = first.status?.containerId;
    const cooled = first.cool();
    await untilStatus(second, ({ state }) => state === 'cooling');
    const next = await place.train(second);
    await cooled;
    assert.equal((await next.result()).start, 'cold');
    assert.notEqual(second.status?.containerId, former);
    assert.equal((await run.result()).status, 'stopped');
  });

  it('warms up for the defaults if it is started for parameters that cannot be', async () => {
    const client = place.client();
    const params = { ...place.params(), batch_size: 0 };
    await client.start(place.options({ hint: { recipe: 'classifier', params } }));
    await untilStatus(client, ({ state }) => state === 'warm');
    assert.equal((await (await place.train(client)).result()).status, 'completed');
  });

  it('sets a log aside that has grown large', async () => {
    const client = place.client();
    await client.start(place.options());
    await client.cool();
    const dir = containerDir(place.outputsDir);
    await writeFile(join(dir, 'container.log'), 'x'.repeat(2 * 1024 * 1024));
    await client.start(place.options());
    await untilStatus(client, ({ state }) => state === 'warm');
    assert.ok((await stat(join(dir, 'container.log'))).size < 100_000);
    assert.match(await readFile(join(dir, 'container.previous.log'), 'utf8'), /^x+$/);
  });
});
