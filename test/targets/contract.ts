import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fetchFromTarget } from '../../src/host/container/fetchFromTarget';
import type { ContainerClient } from '../../src/client/containerClient';
import type { RunEvent } from '../../src/protocol/events';
import { readEvents } from '../../src/volume/eventLog';
import { RUN_FILES } from '../../src/volume/outputsVolume';
import type { Following } from '../container/support/following';
import { range } from '../container/support/following';
import { makeImages } from '../container/support/place';
import { until, untilTrue, untilCold, untilStatus } from '../container/support/waiting';
import type { TargetBench } from './support/bench';
import { LONG, SHORT } from './support/bench';

/**
 * What a container promises, wherever it lives.
 * @param open a place for it; undefined, after a notice, where it cannot be had
 */
export function describeTarget(name: string, open: () => Promise<TargetBench | undefined>): void {
  describe(`a container on ${name}`, function () {
    // Its trainings compete with whatever else runs here.
    this.timeout(180_000);
    let bench: TargetBench;
    let opened: TargetBench | undefined;
    before(async function () {
      // It may have to be installed first.
      this.timeout(300_000);
      opened = await open();
      if (opened === undefined) {
        this.skip();
      }
      bench = opened;
      await makeImages(bench.images, { cat: 8, other: 8 });
    });
    afterEach(() => opened?.closeWindows());
    after(() => opened?.dispose());

    it('is checked, and found only once it was started', async () => {
      const client = bench.client();
      const findings = await client.target.check();
      assert.deepEqual(
        findings.filter(({ severity }) => severity === 'error'),
        [],
      );
      assert.equal(await client.connect(), false);
    });

    it('trains on what is on this machine, tells all in order, and is warm for the next run', async () => {
      const client = bench.client();
      const cold = await bench.train(client, SHORT);
      const first = await cold.result();
      assert.equal(first.status, 'completed', first.error?.message);
      assert.equal(first.start, 'cold');
      assert.deepEqual(cold.seqs, range(1, cold.events.length));
      const names = cold.all('phase').map(({ phase }) => phase.name);
      for (const phase of bench.startPhases) {
        assert.ok(names.includes(phase), `${phase} is not among ${names.join(', ')}`);
      }
      const warm = await bench.train(bench.client(), SHORT);
      assert.equal((await warm.result()).start, 'warm');
      await isMirrored(client, cold);
    });

    it('sends what has changed, and only that', async () => {
      const client = bench.client();
      const sent: number[] = [];
      client.on('sending', (progress) => {
        if (progress !== undefined) {
          sent.push(progress.totalBytes);
        }
      });
      await (await bench.train(client, SHORT)).result();
      assert.deepEqual(sent, [], 'nothing had changed');
      await makeImages(bench.images, { dog: 8 });
      await writeFile(join(bench.images, '.tinycatsignore'), 'other/\n');
      const run = await bench.train(client, SHORT);
      assert.equal((await run.result()).status, 'completed');
      const isRemote = client.target.kind !== 'local';
      const classes = run.all('dataset')[0]?.classes.map((entry) => entry.name);
      assert.deepEqual(classes, isRemote ? ['cat', 'dog'] : ['cat', 'dog', 'other']);
      assert.equal(sent.length > 0, isRemote);
      await rm(join(bench.images, '.tinycatsignore'));
    });

    it('hands a checkpoint over, whole and verified, also after a download that was cut off', async () => {
      const client = bench.client();
      const run = await bench.train(client, SHORT);
      const { output } = await run.result();
      assert.ok(output !== null);
      await client.mirrored();
      const path = await client.fetch(run.runId, RUN_FILES.best);
      const content = await readFile(path);
      if (client.target.kind !== 'local') {
        const hash = createHash('sha256').update(content).digest('hex');
        await rm(path);
        await writeFile(`${path}.${hash.slice(0, 16)}.part`, content.subarray(0, 1000));
        assert.deepEqual(await readFile(await client.fetch(run.runId, RUN_FILES.best)), content);
        // What is damaged is fetched anew.
        await writeFile(`${path}.${hash.slice(0, 16)}.part`, Buffer.alloc(1000));
        await writeFile(path, 'not this');
        assert.deepEqual(await readFile(await client.fetch(run.runId, RUN_FILES.best)), content);
      }
      await assert.rejects(client.fetch(run.runId, '../../run.json'));
    });

    it('hands a checkpoint to a window that has chosen another target', async function () {
      const client = bench.client();
      const { kind, name } = client.target;
      if (kind === 'local') {
        this.skip();
      }
      const run = await bench.train(client, SHORT);
      await run.result();
      await client.caughtUp();
      const path = join((await client.volume.findRun(run.runId)) ?? '', RUN_FILES.best);
      const { bundleDir = resolve('dist'), ...deps } = bench.window;
      const fetch = (target: string): Promise<void> =>
        fetchFromTarget({ target, record: run }, RUN_FILES.best, bench.window, { bundleDir, ...deps }, {});
      await fetch(name);
      assert.ok((await stat(path)).size > 1000);
      await assert.rejects(fetch('gone'), /on "gone", which tinyCats\.targets no longer has/);
    });

    it('stops a run and keeps its checkpoint', async () => {
      const client = bench.client();
      const run = await bench.train(client, LONG);
      await run.first('epoch');
      await client.stop(run.runId, false);
      assert.equal((await run.result()).status, 'stopped');
    });

    it('is one for two that start it at once', async () => {
      await bench.client().target.kill();
      const clients = [bench.client(), bench.client()];
      const statuses = await Promise.all(clients.map((client) => client.start(bench.options())));
      assert.equal(new Set(statuses.map(({ containerId }) => containerId)).size, 1);
    });

    it('that is killed leaves a failed run, which is read without it; one beside it, of a sweep, goes on', async () => {
      const [client, other] = [bench.client(), bench.client(1)];
      const [run, otherRun] = [await bench.train(client, LONG), await bench.train(other, LONG)];
      await run.first('epoch');
      await otherRun.first('epoch');
      assert.notEqual(client.status?.containerId, other.status?.containerId);
      await client.mirrored();
      await bench.killSupervisor(await untilStatus(client, ({ state }) => state === 'training'));
      await untilCold(client);
      if (bench.nextSettles) {
        await client.start(bench.options());
      }
      const result = await run.result();
      assert.equal(result.status, 'failed');
      assert.equal(result.error?.code, 'container_died');
      assert.deepEqual(run.seqs, range(1, run.events.length));
      await isMirrored(client, run);
      // Its record follows its last event.
      const dir = await client.volume.findRun(run.runId);
      await untilTrue(async () => (await client.volume.readRecord(dir ?? ''))?.state === 'failed');

      assert.equal(other.status?.state, 'training');
      await other.stop(otherRun.runId, false);
      assert.equal((await otherRun.result()).status, 'stopped');
      await other.cool();
      assert.equal(await other.target.find(), undefined);
    });

    it('keeps its token to itself', async () => {
      const client = bench.client();
      await client.start(bench.options());
      const endpoint = await client.target.find();
      assert.ok(endpoint !== undefined);
      assert.deepEqual(await bench.seen(endpoint.token), []);
      await client.cool();
    });
  });
}

/** This side has every event of the run, once. */
async function isMirrored(client: ContainerClient, run: Following): Promise<void> {
  const stored = await until(async (): Promise<RunEvent[] | undefined> => {
    const dir = await client.volume.findRun(run.runId);
    const events = dir === undefined ? [] : await readEvents(join(dir, RUN_FILES.events));
    return events.at(-1)?.type === 'result' ? events : undefined;
  });
  assert.deepEqual(stored, run.events);
  const dir = await client.volume.findRun(run.runId);
  const names = await readdir(dir ?? '');
  assert.ok(names.includes(RUN_FILES.log), names.join(', '));
}
