import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { runEventSchema } from '../../src/protocol/events';
import { parse } from '../../src/protocol/schema';
import { RawClient } from '../container/support/rawClient';
import { untilTrue } from '../container/support/waiting';
import { floodEndpointSchema, floodReportSchema, tellReportSchema } from './support/floodMessages';
import { figure, mebibytes } from './support/figures';

const EVENTS = 200_000;
/** What a process may grow by that keeps nothing of 200,000 events, which are some 40 MiB. */
const MOST_GROWTH_BYTES = 64 * 1024 * 1024;

describe('a client that never reads', () => {
  let flood: ChildProcess;
  let dir: string;
  let endpoint: v.InferOutput<typeof floodEndpointSchema>;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tiny-cats-flood-'));
    flood = fork(join(__dirname, 'support', 'eventFlood.ts'), [dir], {
      execArgv: ['--import', 'tsx', '--expose-gc'],
    });
    endpoint = v.parse(floodEndpointSchema, await answer());
  });
  after(async () => {
    const exit = once(flood, 'exit');
    flood.disconnect();
    await exit;
    await rm(dir, { recursive: true, force: true });
  });

  async function answer(): Promise<unknown> {
    const message: unknown[] = await once(flood, 'message');
    return message[0];
  }

  async function ask(order: object): Promise<unknown> {
    const answered = answer();
    flood.send(order);
    return answered;
  }

  it('costs the container a place in the log and no memory, the training nothing, and misses nothing', async () => {
    await ask({ type: 'open' });
    // Warm code for both of those that are compared.
    await ask({ type: 'flood', events: 20_000 });
    await ask({ type: 'open' });
    const alone = v.parse(floodReportSchema, await ask({ type: 'flood', events: EVENTS }));

    const runId = v.parse(v.string(), await ask({ type: 'open' }));
    const deaf = await RawClient.connect(endpoint);
    await deaf.hello();
    await deaf.request('attach', { runId, afterSeq: 0 });
    deaf.socket.pause();
    const watched = v.parse(floodReportSchema, await ask({ type: 'flood', events: EVENTS }));
    const growth = watched.rssMostBytes - watched.rssBeforeBytes;
    figure('events that a client did not read', watched.events);
    figure(
      'memory of the container',
      `${mebibytes(watched.rssBeforeBytes)}, at most ${mebibytes(growth)} more`,
    );
    figure(
      'processor time of 200,000 events',
      `${Math.round(watched.cpuMs)} ms, without the client ${Math.round(alone.cpuMs)} ms`,
    );
    assert.ok(growth < MOST_GROWTH_BYTES, mebibytes(growth));
    assert.ok(watched.cpuMs < 2 * alone.cpuMs + 1000);
    deaf.close();

    const back = await RawClient.connect(endpoint);
    await back.hello();
    await back.request('attach', { runId, afterSeq: 0 });
    await untilTrue(() => back.notified('event').length === EVENTS);
    const seqs = back.notified('event').map((params) => parse(runEventSchema, params, 'event').seq);
    assert.ok(seqs.every((seq, index) => seq === index + 1));
    back.close();
    await back.end();
  });

  it('is cut off once too much waits for it', async () => {
    const deaf = await RawClient.connect(endpoint);
    await deaf.hello();
    deaf.socket.pause();
    const report = v.parse(tellReportSchema, await ask({ type: 'tell', times: EVENTS }));
    const growth = report.rssMostBytes - report.rssBeforeBytes;
    figure('memory until a deaf client is cut off', `at most ${mebibytes(growth)} more`);
    assert.equal(report.clients, 0);
    assert.ok(growth < MOST_GROWTH_BYTES, mebibytes(growth));
    deaf.close();
  });
});
