import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerClient } from '../../src/client/containerClient';
import type { ContainerSettings } from '../../src/protocol/rpc';
import { DEFAULT_POLICY } from '../../src/protocol/rpc';
import { readHeader } from '../../src/volume/safetensors';
import { Following, range } from './support/following';
import { LONG, Place } from './support/place';
import { endOf, untilCold, untilStatus, untilTrue } from './support/waiting';

describe('what dies', () => {
  let place: Place;
  let client: ContainerClient;
  beforeEach(async () => {
    place = await Place.make();
    client = place.client();
  });
  afterEach(() => place.dispose());

  async function recordOf(runId: string) {
    return place.volume.readRecord(await place.runDir(runId));
  }

  it('a trainer takes its run along, and nothing else', async () => {
    const { settings } = place.options();
    await client.start(place.options({ settings: withoutRetries(settings) }));
    const runId = (await client.request('train', { recipe: 'classifier', params: place.params(LONG) })).runId;
    const run = new Following(client, runId);
    await run.first('checkpoint', ({ kind }) => kind === 'best');
    const { pid, trainerPid } = await client.request('status', {});
    assert.ok(trainerPid);
    process.kill(trainerPid, 'SIGKILL');
    const { status, output, val_acc, error } = await run.result();
    assert.equal(status, 'failed');
    assert.equal(error?.code, 'trainer_died');
    assert.match(error.message, /The trainer died in the middle of the run: it was killed \(SIGKILL\)/);
    assert.equal(output, join(await place.runDir(run.runId), 'best.safetensors'));
    assert.ok(val_acc !== null);
    await readHeader(output);
    const last = run.all('log').at(-1);
    assert.deepEqual([last?.level, last?.text], ['error', error.message]);

    const status2 = await untilStatus(
      client,
      ({ state, trainerPid: next }) => state === 'warm' && next !== trainerPid,
    );
    assert.equal(status2.pid, pid);
    assert.deepEqual((await recordOf(run.runId))?.result?.error, error);
    const next = await place.train(client);
    assert.equal((await next.result()).status, 'completed');
    assert.equal((await next.result()).start, 'warm');
  });

  it('a trainer that dies with nothing to do is replaced', async () => {
    await client.start(place.options());
    const { trainerPid } = await untilStatus(client, ({ state }) => state === 'warm');
    assert.ok(trainerPid);
    process.kill(trainerPid, 'SIGKILL');
    await untilStatus(client, ({ state, trainerPid: next }) => state === 'warm' && next !== trainerPid);
    const run = await place.train(client);
    assert.equal((await run.result()).status, 'completed');
    assert.equal(client.problem, null);
  });

  it('a container that is killed to be restarted is not asked for anything more', async () => {
    const { pid } = await client.start(place.options());
    for (let before = pid, turn = 0; turn < 3; turn += 1) {
      await client.kill();
      assert.equal(client.link, 'none');
      const after = await client.start(place.options());
      assert.notEqual(after.pid, before);
      before = after.pid;
    }
  });

  it('a supervisor takes its trainer along; whoever followed the run hears of its end', async () => {
    const run = await place.train(client, LONG);
    await run.first('checkpoint', ({ kind }) => kind === 'best');
    const { pid, trainerPid } = await client.request('status', {});
    assert.ok(trainerPid);
    const gone = [endOf(pid), endOf(trainerPid)];
    const died: string[][] = [];
    client.on('died', (runIds) => died.push(runIds));
    process.kill(pid, 'SIGKILL');

    const { status, output, error } = await run.result();
    assert.equal(status, 'failed');
    assert.equal(error?.code, 'container_died');
    assert.equal(output, join(await place.runDir(run.runId), 'best.safetensors'));
    await Promise.all(gone.map((ended) => ended()));
    await untilCold(client);
    assert.deepEqual(died, [[run.runId]]);
    assert.deepEqual(run.seqs, range(1, run.events.length));
    const record = await recordOf(run.runId);
    assert.equal(record?.state, 'failed');
    assert.deepEqual(record.result?.error, error);
    assert.deepEqual(await place.volume.readRunEvents(run.runId, 0), run.events);

    const next = await place.train(client);
    assert.equal((await next.result()).start, 'cold');
    assert.equal((await next.result()).status, 'completed');
  });

  it('a container that nobody looked at is settled by the next client that looks', async () => {
    const run = await place.train(client, LONG);
    await run.first('epoch');
    const { pid } = await client.request('status', {});
    client.dispose();
    const ended = endOf(pid);
    process.kill(pid, 'SIGKILL');
    await ended();
    const next = place.client();
    assert.equal(await next.connect(), false);
    assert.equal((await recordOf(run.runId))?.result?.error?.code, 'container_died');
    assert.equal(await next.connect(), false);
    const replayed = new Following(next, run.runId);
    await replayed.result();
    assert.deepEqual(replayed.seqs, range(1, replayed.events.length));
  });

  it('a run whose folder is taken away ends for its followers, and is stored once the folder is back', async () => {
    const checkpoints = join(place.outputsDir, 'checkpoints');
    const away = join(place.root, 'away');
    const run = await place.train(client, LONG);
    await run.first('checkpoint', ({ kind }) => kind === 'last');
    const late = place.client();
    await late.connect();
    const dir = await place.runDir(run.runId);
    await rename(checkpoints, away);
    const { status, error } = await run.result();
    assert.equal(status, 'failed');
    assert.equal(error?.code, 'volume');
    assert.match(
      error.message,
      /^The outputs volume ".*" cannot be written \(ENOENT.*Make room or make it writable/,
    );
    assert.deepEqual(run.seqs, range(1, run.events.length));
    const replayed = new Following(late, run.runId, run.events.length - 1);
    await replayed.result();
    assert.deepEqual(replayed.events, run.events.slice(-1));

    await writeFile(checkpoints, 'no folder');
    await assert.rejects(
      client.train('classifier', place.params(), place.options()),
      /The outputs volume ".*" cannot be written \(ENOTDIR.*Make room or make it writable, then train again/,
    );
    await rename(checkpoints, join(place.root, 'the file'));
    await rename(away, checkpoints);
    const next = await place.train(client);
    assert.equal((await next.result()).status, 'completed');
    const stored = await readFile(join(dir, 'events.jsonl'), 'utf8');
    assert.deepEqual(
      (await place.volume.readRunEvents(run.runId, 0)).map(({ seq, type }) => [seq, type]),
      run.events.map(({ seq, type }) => [seq, type]),
    );
    assert.ok(stored.endsWith('\n'));
    await untilTrue(async () => (await recordOf(run.runId))?.state === 'failed');
  });
});

function withoutRetries(settings: ContainerSettings): ContainerSettings {
  return { ...settings, retries: { ...DEFAULT_POLICY.retries, maxRetries: 0 } };
}
