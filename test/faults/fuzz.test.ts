import assert from 'node:assert/strict';
import type { ContainerClient } from '../../src/client/containerClient';
import { ErrorCode } from '../../src/protocol/rpc';
import type { Endpoint } from '../../src/targets/target';
import { Place } from '../container/support/place';
import { RawClient } from '../container/support/rawClient';
import { untilStatus, untilTrue } from '../container/support/waiting';
import { Chance } from './support/chance';
import { figure, mebibytes } from './support/figures';
import { malformed } from './support/malformed';

const MESSAGES = 20_000;
/** Few enough for one connection to be allowed them at once. */
const A_CONNECTION = 400;
/** What memory may differ by from one moment to the next without anything being kept. */
const NOISE_BYTES = 24 * 1024 * 1024;

describe('malformed messages', () => {
  let place: Place;
  let client: ContainerClient;
  let endpoint: Endpoint;
  let chance: Chance;
  before(async () => {
    chance = new Chance('fuzz');
    place = await Place.make();
    client = place.client();
    await client.start(place.options());
    await untilStatus(client, ({ state }) => state === 'warm');
    const found = await client.target.find();
    assert.ok(found);
    endpoint = found;
  });
  after(() => place.dispose());

  /** @returns how many messages were answered with something */
  async function send(messages: number): Promise<number> {
    let answers = 0;
    for (let sent = 0; sent < messages; sent += A_CONNECTION) {
      const raw = await RawClient.connect(endpoint);
      if (chance.between(0, 1) === 1) {
        await raw.hello();
      }
      for (let index = 0; index < A_CONNECTION; index += 1) {
        raw.socket.send(malformed(chance));
      }
      // It serves this connection still.
      const last = await raw.request('status', {});
      assert.ok(last.error === undefined || last.error.code === ErrorCode.helloFirst, last.error?.message);
      answers += raw.messages.filter(({ method }) => method === undefined).length;
      raw.close();
      await raw.end();
    }
    return answers;
  }

  async function memory(): Promise<number> {
    return (await client.request('status', {})).rssBytes;
  }

  it('are answered with errors, by the thousand, and cost nothing that stays', async () => {
    await send(5000);
    const { pid, trainerPid, containerId } = await client.request('status', {});
    const before = await memory();
    const answers = await send(MESSAGES);
    const most = await memory();
    await untilTrue(async () => (await memory()) < before + NOISE_BYTES);
    const after = await client.request('status', {});
    assert.deepEqual([after.pid, after.trainerPid, after.containerId], [pid, trainerPid, containerId]);
    assert.equal((await place.volume.listRuns()).length, 0);
    const run = await place.train(client);
    assert.equal((await run.result()).status, 'completed');
    figure('malformed messages', `${MESSAGES}, ${answers} answers`);
    figure(
      'memory of the container',
      `${mebibytes(before)} before, ${mebibytes(most)} after, then ${mebibytes(after.rssBytes)}`,
    );
  });

  it('that come too fast are answered once more, and the connection is closed, that one only', async () => {
    const raw = await RawClient.connect(endpoint);
    await raw.hello();
    const flood = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'status' });
    for (let index = 0; index < 3000; index += 1) {
      raw.socket.send(flood);
    }
    assert.equal(await raw.end(), 1008);
    const last = raw.messages.filter(({ error }) => error !== undefined).at(-1);
    assert.equal(last?.error?.code, ErrorCode.tooManyMessages);
    assert.equal((await client.request('status', {})).problem, null);
  });
});
