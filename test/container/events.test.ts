import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ContainerClient } from '../../src/client/containerClient';
import { runEventSchema } from '../../src/protocol/events';
import { parse } from '../../src/protocol/schema';
import { EventLogWriter } from '../../src/volume/eventLog';
import { applyEvent, emptyRunView } from '../../src/protocol/runView';
import { BreakableTarget } from './support/breakableTarget';
import { Following, range } from './support/following';
import { LONG, Place } from './support/place';
import { RawClient } from './support/rawClient';
import { untilTrue } from './support/waiting';

describe('events of a run', () => {
  let place: Place;
  let client: ContainerClient;
  before(async () => {
    place = await Place.make();
    client = place.client();
  });
  after(() => place.dispose());

  async function logOf(runId: string): Promise<unknown[]> {
    const text = await readFile(join(await place.runDir(runId), 'events.jsonl'), 'utf8');
    assert.ok(text.endsWith('\n'));
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  }

  it('are numbered without a gap, and a client gets live exactly what is stored', async () => {
    const run = await place.train(client, { epochs: 3 });
    await run.result();
    assert.deepEqual(run.seqs, range(1, run.events.length));
    assert.deepEqual(await logOf(run.runId), run.events);
    assert.equal(run.events[0]?.type, 'run');
    assert.ok(run.events.every(({ runId }) => runId === run.runId));
    const view = emptyRunView(run.runId);
    run.events.forEach((event) => applyEvent(view, event));
    assert.equal(view.state, 'completed');
    assert.equal(view.epochs.length, 3);
  });

  it('come once and in order to whoever asks, from whichever place, while the run goes on', async () => {
    const run = await place.train(client, LONG);
    await run.first('epoch', ({ epoch }) => epoch === 3);
    const starts = [0, 1, ...Array.from({ length: 6 }, () => Math.floor(Math.random() * run.seqs.length))];
    const late: Following[] = [];
    for (const start of starts) {
      // Half of them over connections of their own, half over the one that follows already.
      const via = start % 2 === 0 ? place.client() : client;
      await via.connect();
      late.push(new Following(via, run.runId, start));
      const { epoch } = run.all('epoch').at(-1) ?? { epoch: 0 };
      await run.first('epoch', (next) => next.epoch > epoch);
    }
    await client.stop(run.runId, false);
    const all = [run, ...late];
    await Promise.all(all.map((following) => following.result()));
    const stored = await logOf(run.runId);
    all.forEach((following, index) => {
      const start = index === 0 ? 0 : (starts[index - 1] ?? 0);
      assert.deepEqual(following.seqs, range(start + 1, stored.length), `attached after ${start}`);
    });
    assert.deepEqual(late[0]?.events, stored);
    all.forEach((following) => following.dispose());
  });

  it('are replayed on the bare socket from the place that is asked for, and once only', async () => {
    const run = await place.train(client, LONG);
    await run.first('epoch', ({ epoch }) => epoch === 2);
    const raw = await RawClient.connect(await endpoint());
    await raw.hello();
    for (const afterSeq of [5, 0, 9]) {
      const seen = raw.messages.length;
      await raw.request('attach', { runId: run.runId, afterSeq });
      const answeredAt = raw.messages.findIndex((message, at) => at >= seen && 'id' in message);
      await raw.until(() => raw.notified('event', answeredAt).length > 12);
      const seqs = raw
        .notified('event', answeredAt)
        .map((params) => parse(runEventSchema, params, 'event').seq);
      assert.deepEqual(seqs, range(afterSeq + 1, afterSeq + seqs.length));
    }
    await raw.request('detach', { runId: run.runId });
    const { length } = raw.messages;
    const { epoch } = run.all('epoch').at(-1) ?? { epoch: 0 };
    await run.first('epoch', (next) => next.epoch > epoch + 1);
    await raw.request('status', {});
    assert.deepEqual(raw.notified('event', length), []);
    raw.close();
    await client.stop(run.runId, true);
    await run.result();
  });

  it('are all there for a client that comes after the end, with a container and without', async () => {
    const run = await place.train(client, { epochs: 1 });
    await run.result();
    const late = place.client();
    await late.connect();
    const replayed = new Following(late, run.runId);
    await replayed.result();
    assert.deepEqual(replayed.events, run.events);

    await client.cool();
    const cold = new Following(place.client(), run.runId, 3);
    await cold.result();
    assert.deepEqual(cold.events, run.events.slice(3));
  });

  it('cost nothing once the client has those of a run that has ended, however many such runs it looks at', async () => {
    const client = place.client();
    const first = await place.train(client);
    await first.result();
    const record = await place.volume.readRecord(await place.runDir(first.runId));
    assert.ok(record);
    for (let count = 0; count < 70; count += 1) {
      const { runId, dir } = await place.volume.createRun('classifier', new Date());
      await place.volume.writeRecord(dir, { ...record, runId });
      const log = new EventLogWriter(join(dir, 'events.jsonl'), runId, 0);
      const { status, output, val_acc, start, time_to_first_step_ms } = await first.result();
      log.append({ type: 'result', status, output, val_acc, start, time_to_first_step_ms });
      log.close();
      // Refused, it would wait for ever.
      await new Following(client, runId).result();
    }
    const pid = client.status?.pid ?? 0;
    if (process.platform === 'linux') {
      await untilTrue(async () => {
        const files = await readdir(`/proc/${pid}/fd`);
        const paths = await Promise.all(
          files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')),
        );
        return !paths.some((path) => path.endsWith('events.jsonl'));
      });
    }
  });

  it('go on after the link broke, without a gap and without a repeat', async () => {
    const run = await place.train(client, LONG);
    const broken = await BreakableTarget.open(place.target());
    const other = new ContainerClient(broken, place.volume, 'far away');
    await other.connect();
    const through = new Following(other, run.runId);
    for (let times = 1; times <= 3; times += 1) {
      const { epoch } = through.all('epoch').at(-1) ?? { epoch: 0 };
      await through.first('epoch', (next) => next.epoch > epoch);
      const reconnecting = once(other, 'change');
      broken.breakLinks();
      await reconnecting;
      await untilTrue(() => other.link === 'connected');
    }
    const { epoch } = through.all('epoch').at(-1) ?? { epoch: 0 };
    await through.first('epoch', (next) => next.epoch > epoch);
    await client.stop(run.runId, false);
    await through.result();
    assert.deepEqual(through.seqs, range(1, through.events.length));
    await run.result();
    assert.deepEqual(through.events, run.events);
    other.dispose();
    broken.close();
  });

  async function endpoint(): Promise<{ url: string; token: string }> {
    const found = await client.target.find();
    assert.ok(found);
    return found;
  }
});
