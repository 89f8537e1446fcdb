import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ContainerConnection } from '../../src/client/connection';
import { isFinal } from '../../src/protocol/run';
import { containerDir, enginesDir } from '../../src/targets/local/paths';
import type { StartOptions } from '../../src/targets/local/startOptions';
import { thawPath } from '../../src/targets/local/startOptions';
import { LONG, Place } from './support/place';
import { untilStatus, untilTrue } from './support/waiting';

/**
 * What a snapshot of a container's processes asks of them. That they are restored from one, test/targets/snapshot.test.ts
 * shows where CRIU can do it; here they only go on as if.
 */
describe('a container that is frozen for a snapshot', () => {
  let place: Place;
  let container: ChildProcess | undefined;
  beforeEach(async () => {
    place = await Place.make();
  });
  afterEach(async () => {
    await place.dispose().finally(() => container?.kill('SIGKILL'));
  });

  /** Starts one as a target does that can make snapshots. */
  async function start(): Promise<StartOptions> {
    await mkdir(place.dataDir, { recursive: true });
    const thawDir = join(place.root, 'thaw');
    await mkdir(thawDir);
    const { outputsDir } = place.target();
    const options: StartOptions = {
      ...{ outputsDir, dataDir: place.dataDir, containerDir: containerDir(outputsDir), thawDir },
      ...{ enginesDir: enginesDir(), target: 'local', spawnedAt: Date.now() },
      ...place.options(),
    };
    const file = join(place.root, 'start.json');
    await writeFile(file, JSON.stringify(options));
    container = spawn(process.execPath, [join(place.bundleDir, 'container.js'), 'from', file], {
      stdio: 'ignore',
    });
    return options;
  }

  async function thaw(options: StartOptions, freezeId: string, restored: StartOptions | null): Promise<void> {
    await writeFile(thawPath(options.thawDir ?? '', freezeId), JSON.stringify({ restored }));
  }

  it('holds no connection, and goes on where it was', async () => {
    const options = await start();
    const [client, other] = [place.client(), place.client()];
    await untilTrue(() => client.connect());
    assert.ok(await other.connect());
    const { containerId } = await untilStatus(client, ({ state }) => state === 'warm');
    const endpoint = await client.target.find();
    assert.ok(endpoint);

    const freezeId = randomUUID();
    await client.request('freeze', { freezeId });
    await untilTrue(() => [client, other].every(({ link }) => link === 'reconnecting'));
    await assert.rejects(ContainerConnection.open(endpoint, 'test'), /ECONNREFUSED/);
    await thaw(options, freezeId, null);
    await untilTrue(() => [client, other].every(({ link }) => link === 'connected'));

    assert.deepEqual(await client.target.find(), endpoint);
    assert.equal(client.status?.containerId, containerId);
    const run = await place.train(other);
    assert.equal((await run.result()).start, 'warm');
  });

  it('has not seen what happened since, once it is restored: it is another container', async () => {
    const options = await start();
    const client = place.client();
    await untilTrue(() => client.connect());
    const before = await untilStatus(client, ({ state }) => state === 'warm');
    const earlier = await place.train(client);
    await earlier.result();
    await untilStatus(client, ({ state }) => state === 'warm');

    const freezeId = randomUUID();
    await client.request('freeze', { freezeId });
    await untilTrue(() => client.link === 'reconnecting');
    // It went on, began a run and was killed; that is what comes back.
    const record = await place.volume.readRecord(await place.runDir(earlier.runId));
    assert.ok(record);
    const { runId, dir } = await place.volume.createRun(record.recipe, new Date());
    const { result, endedAt, ...open } = record;
    assert.ok(result !== undefined && endedAt !== undefined);
    const createdAt = new Date().toISOString();
    await place.volume.writeRecord(dir, { ...open, runId, createdAt, state: 'training' });
    const settings = { scaledownWindowMs: 77_000 };
    await thaw(options, freezeId, { ...options, settings, spawnedAt: Date.now() });
    // A client that has seen the container before may find that there is none for a moment.
    await untilTrue(() => client.connect().catch(() => false));

    const status = await client.request('status', {});
    assert.notEqual(status.containerId, before.containerId);
    assert.equal(status.scaledownWindowMs, 77_000);
    assert.ok(status.usage !== undefined && before.usage !== undefined);
    assert.ok(Date.parse(status.startedAt) > Date.parse(before.startedAt));
    const { runs } = await client.request('runs', {});
    assert.deepEqual(
      runs.map((listed) => [listed.runId, listed.state, isFinal(listed.state)]),
      [
        [runId, 'failed', true],
        [earlier.runId, 'completed', true],
      ],
    );
    const run = await place.train(client);
    assert.equal((await run.result()).start, 'warm');
  });

  it('is not frozen while it trains, nor by a target without snapshots', async () => {
    const client = place.client();
    const run = await place.train(client, LONG);
    await assert.rejects(client.request('freeze', { freezeId: randomUUID() }), /its target has no snapshots/);
    await assert.rejects(client.snapshot(), /The target "local" keeps no snapshots: Podman can/);
    await client.stop(run.runId, false);
    await client.cool();

    await start();
    await untilTrue(() => client.connect());
    const training = await place.train(client, LONG);
    await untilStatus(client, ({ state }) => state === 'training');
    await assert.rejects(client.request('freeze', { freezeId: randomUUID() }), /made: it trains\.$/);
    await client.stop(training.runId, false);
  });
});
