import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ContainerClient } from '../../src/client/containerClient';
import { Following } from '../container/support/following';
import { makeImages } from '../container/support/place';
import { untilCold, untilStatus, untilTrue } from '../container/support/waiting';
import { SHORT } from './support/bench';
import { EngineBox, engineForTests, stopEngines } from './support/engineBox';
import type { TestEngine } from './support/engines';
import { buildRootImage } from './support/testImage';

const run = promisify(execFile);
after(stopEngines);

/** @returns why this machine makes no snapshots; undefined if it does */
async function obstacle(): Promise<string | undefined> {
  const said = await run('criu', ['--version']).catch(() => undefined);
  const version = /Version: (\d+)/.exec(said?.stdout ?? '')?.[1];
  if (Number(version ?? 0) < 4) {
    return `CRIU 4 is needed, and there is ${version === undefined ? 'none' : `CRIU ${version}`}`;
  }
  const checked = await run('criu', ['check']).catch((error: unknown) => String(error));
  return typeof checked === 'string' ? checked : undefined;
}

describe('a snapshot of a warm container in podman', function () {
  // Its trainings compete with whatever else runs here.
  this.timeout(180_000);
  let engine: TestEngine;
  let image: string;
  let box: EngineBox;
  let images: string;

  before(async function () {
    this.timeout(300_000);
    const why = await obstacle();
    const started = why === undefined ? await engineForTests('podman') : undefined;
    if (started === undefined) {
      console.error(`Not tested: snapshots. ${why ?? 'There is no Podman.'}`);
      this.skip();
    }
    engine = started;
    image = await buildRootImage(engine.socket, engine.image);
  });
  beforeEach(async () => {
    box = await EngineBox.make(engine);
    images = join(box.root, 'images');
    await makeImages(images, { cat: 8, other: 8 });
  });
  afterEach(() => box.dispose());

  async function train(client: ContainerClient): Promise<Following> {
    const params = { data_dir: images, ...SHORT };
    const options = box.options({ hint: { recipe: 'classifier', params } });
    return new Following(client, await client.train('classifier', params, options));
  }

  async function warm(client: ContainerClient): Promise<void> {
    const first = await train(client);
    const result = await first.result();
    assert.equal(result.status, 'completed', result.error?.message);
    await untilStatus(client, ({ state }) => state === 'warm');
  }

  async function letGo(client: ContainerClient): Promise<void> {
    await client.cool();
    await untilCold(client);
  }

  it('is restored instead of a cold start, as often as it is wanted, and knows the runs since', async () => {
    const client = box.client({ image });
    await warm(client);
    await client.snapshot();
    assert.equal(client.link, 'connected');
    const since = await train(client);
    assert.equal((await since.result()).start, 'warm');
    await client.caughtUp();
    for (let time = 1; time <= 2; time += 1) {
      await letGo(client);
      // Its history is read by a helper that has the container's name.
      await client.target.history?.(new Map());
      const restored = await train(client);
      const result = await restored.result();
      assert.equal(result.status, 'completed', result.error?.message);
      assert.equal(result.start, 'warm');
      const names = restored.all('phase').map(({ phase }) => phase.name);
      assert.ok(names.includes('restore') && !names.includes('start'), names.join(', '));
      const { runs } = await client.request('runs', {});
      assert.deepEqual(runs[0]?.runId, restored.runId);
      assert.equal(runs.length, 2 + time);
      assert.deepEqual(new Set(runs.map(({ state }) => state)), new Set(['completed']));
      await client.caughtUp();
    }
  });

  it('outlives a container that was killed, whose run is settled', async () => {
    const client = box.client({ image });
    await warm(client);
    await client.snapshot();
    const params = { data_dir: images, ...SHORT, epochs: 10_000, warmup_epochs: 0 };
    const options = box.options({ hint: { recipe: 'classifier', params } });
    // The second time it is one that was restored.
    for (const start of ['warm', 'restored']) {
      const lost = new Following(client, await client.train('classifier', params, options));
      await untilTrue(() => lost.all('epoch').length > 0);
      await box.kill();
      assert.equal((await lost.result()).error?.code, 'container_died', start);
      await untilCold(client);
    }
    const restored = await train(client);
    assert.equal((await restored.result()).start, 'warm');
    assert.ok(restored.all('phase').some(({ phase }) => phase.name === 'restore'));
  });

  it('is not taken for a container that would be made in another way, and is forgotten by Restart', async () => {
    const client = box.client({ image });
    await warm(client);
    await client.snapshot();
    await letGo(client);
    const target = box.target({ image, memoryMiB: 900 });
    await target.start(box.options(), box.progress);
    assert.deepEqual(box.phases, ['code sent', 'start']);
    await target.kill();

    await warm(client);
    await client.snapshot();
    await client.target.kill();
    await untilCold(client);
    const cold = await train(client);
    assert.equal((await cold.result()).start, 'cold');
  });

  it('that cannot be restored makes way for a cold start', async () => {
    const client = box.client({ image });
    await warm(client);
    await client.snapshot();
    await letGo(client);
    const { Id } = await box.container();
    const { stdout } = await run('find', ['/', '-xdev', '-path', `*${Id}*/checkpoint/inventory.img`]);
    assert.notEqual(stdout.trim(), '');
    await run('truncate', ['-s', '10', ...stdout.trim().split('\n')]);
    const cold = await train(client);
    assert.equal((await cold.result()).start, 'cold');
  });
});

describe('a snapshot of a container in Docker', () => {
  it('is refused, and the container goes on', async function () {
    this.timeout(300_000);
    const docker = await engineForTests('docker');
    if (docker === undefined) {
      this.skip();
    }
    const other = await EngineBox.make(docker);
    try {
      const client = other.client();
      await client.start(other.options());
      await untilStatus(client, ({ state }) => state === 'warm');
      await assert.rejects(client.snapshot(), /keeps no snapshots/);
      assert.equal(client.link, 'connected');
    } finally {
      await other.dispose();
    }
  });
});
