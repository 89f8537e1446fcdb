import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import type { ContainerClient } from '../../src/client/containerClient';
import { ErrorCode } from '../../src/protocol/rpc';
import type { Endpoint } from '../../src/targets/target';
import { Place } from '../container/support/place';
import { RawClient } from '../container/support/rawClient';
import { untilStatus, untilTrue } from '../container/support/waiting';
import { Chance } from './support/chance';
import { figure, mebibytes } from './support/figures';
import { floodEndpointSchema } from './support/floodMessages';
import { malformed } from './support/malformed';

const MESSAGES = 20_000;
/** Few enough for one connection to be allowed them at once. */
const A_CONNECTION = 400;
/** What memory may differ by from one moment to the next without anything being kept. */
const NOISE_BYTES = 24 * 1024 * 1024;
/** The same, of a heap whose rubbish was collected: a twentieth of a kilobyte for each message. */
const HEAP_NOISE_BYTES = MESSAGES * 50;

/** Sends malformed messages. @returns how many were answered with something */
async function send(
  endpoint: Pick<Endpoint, 'url' | 'token'>,
  chance: Chance,
  messages: number,
): Promise<number> {
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

  async function memory(): Promise<number> {
    return (await client.request('status', {})).rssBytes;
  }

  it('are answered with errors, by the thousand, and cost nothing that stays', async () => {
    await send(endpoint, chance, 5000);
    const { pid, trainerPid, containerId } = await client.request('status', {});
    const before = await memory();
    const answers = await send(endpoint, chance, MESSAGES);
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

describe('the heap of a supervisor', () => {
  it('is as large after malformed messages as it was before', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tiny-cats-flood-'));
    const child = fork(join(__dirname, 'support', 'eventFlood.ts'), [dir], {
      execArgv: ['--import', 'tsx', '--expose-gc'],
    });
    const answer = async (): Promise<unknown> => {
      const message: unknown[] = await once(child, 'message');
      return message[0];
    };
    const heap = async (): Promise<number> => {
      const answered = answer();
      child.send({ type: 'heap' });
      return v.parse(v.number(), await answered);
    };
    try {
      const endpoint = v.parse(floodEndpointSchema, await answer());
      const chance = new Chance('heap');
      await send(endpoint, chance, 5000);
      const before = await heap();
      await send(endpoint, chance, MESSAGES);
      const after = await heap();
      assert.ok(after - before < HEAP_NOISE_BYTES, `${after - before} bytes more`);
      figure(
        'heap of the supervisor',
        `${mebibytes(before)} before, ${mebibytes(after)} after ${MESSAGES} messages`,
      );
    } finally {
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
      await rm(dir, { recursive: true, force: true });
    }
  });
});
