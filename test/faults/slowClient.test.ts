import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { containerStatusSchema } from '../../src/protocol/container';
import { runEventSchema } from '../../src/protocol/events';
import { parse } from '../../src/protocol/schema';
import { RawClient } from '../container/support/rawClient';
import { untilTrue } from '../container/support/waiting';
import { floodEndpointSchema, floodReportSchema, tellReportSchema } from './support/floodMessages';
import { figure, mebibytes } from './support/figures';

const EVENTS = 200_000;
/** Their answers are more than a container keeps for a client. */
const QUESTIONS = 100;
/** What it may keep more of after half of them, when every buffer on the way to the client is full. */
const MOST_HELD_BYTES = 2 * 1024 * 1024;
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
      `${mebibytes(watched.rssBeforeBytes)}, at most ${mebibytes(growth)} more while they come, buffers included`,
    );
    const kept = watched.heldEndBytes - watched.heldHalfBytes;
    const keptAlone = alone.heldEndBytes - alone.heldHalfBytes;
    figure(
      'memory kept of the second 100,000 of them, all buffers full',
      `${mebibytes(kept)}, without the client ${mebibytes(keptAlone)}`,
    );
    figure(
      'processor time of 200,000 events',
      `${Math.round(watched.cpuMs)} ms, without the client ${Math.round(alone.cpuMs)} ms`,
    );
    assert.ok(growth < MOST_GROWTH_BYTES, mebibytes(growth));
    assert.ok(kept < MOST_HELD_BYTES, mebibytes(kept));
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

  it('misses what was over when it reads again, and is told the newest state', async () => {
    const deaf = await RawClient.connect(endpoint);
    await deaf.hello();
    deaf.socket.pause();
    const report = v.parse(tellReportSchema, await ask({ type: 'tell', times: EVENTS }));
    const growth = report.rssMostBytes - report.rssBeforeBytes;
    figure('memory of 200,000 states that a client did not read', `at most ${mebibytes(growth)} more`);
    assert.equal(report.clients, 1);
    assert.ok(growth < MOST_GROWTH_BYTES, mebibytes(growth));
    deaf.socket.resume();
    const told = (): number[] =>
      deaf.notified('status').map((params) => parse(containerStatusSchema, params, 'status').runs);
    await untilTrue(() => told().at(-1) === EVENTS);
    assert.ok(told().length < EVENTS);
    assert.deepEqual(
      told(),
      told().sort((a, b) => a - b),
    );
    deaf.close();
    await deaf.end();
  });

  it('is cut off when it asks and does not read the answers', async () => {
    const deaf = await RawClient.connect(endpoint);
    await deaf.hello();
    deaf.socket.pause();
    for (let id = 1; id <= QUESTIONS; id += 1) {
      deaf.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'runs' }));
    }
    let report: v.InferOutput<typeof tellReportSchema>;
    do {
      report = v.parse(tellReportSchema, await ask({ type: 'tell', times: 1 }));
    } while (report.clients > 0);
    deaf.close();
  });
});
