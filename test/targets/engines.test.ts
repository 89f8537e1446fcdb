import assert from 'node:assert/strict';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ContainerConnection } from '../../src/client/connection';
import { untilTrue } from '../container/support/waiting';
import { describeTarget } from './contract';
import { TargetBench } from './support/bench';
import { EngineBox, engineForTests, stopEngines } from './support/engineBox';
import type { TestEngine } from './support/engines';

after(stopEngines);

for (const kind of ['podman', 'docker'] as const) {
  describeTarget(kind, async () => {
    const engine = await engineForTests(kind);
    if (engine === undefined) {
      return undefined;
    }
    const box = await EngineBox.make(engine);
    return TargetBench.open({
      root: box.root,
      config: box.config(),
      deps: () => ({ bundleDir: box.bundleDir }),
      startPhases: ['code sent', 'start', 'connect', 'data sent'],
      kill: () => box.kill(),
      close: () => box.dispose(),
    });
  });

  describe(`a container in ${kind}`, function () {
    // Its trainings compete with whatever else runs here.
    this.timeout(180_000);
    let engine: TestEngine;
    let box: EngineBox;

    before(async function () {
      this.timeout(300_000);
      const started = await engineForTests(kind);
      if (started === undefined) {
        this.skip();
      }
      engine = started;
    });
    beforeEach(async () => {
      box = await EngineBox.make(engine);
    });
    afterEach(() => box.dispose());

    it('is started, found again by its labels, published on loopback alone, and limited', async () => {
      const target = box.target({ memoryMiB: 700, cpus: 1.5 });
      assert.equal(await target.find(), undefined);
      const endpoint = await target.start(box.options(), box.progress);

      assert.deepEqual(box.phases, ['code sent', 'start']);
      // Another window, which knows of it by the engine alone.
      assert.deepEqual(await box.target().find(), endpoint);
      const { Config, HostConfig, NetworkSettings } = await box.container();
      const bindings = Object.values(NetworkSettings.Ports).flat();
      assert.deepEqual(
        bindings.map(({ HostIp }) => HostIp),
        ['127.0.0.1'],
      );
      assert.equal(HostConfig.Memory, 700 * 1024 * 1024);
      const { NanoCpus = 0, CpuQuota = 0, CpuPeriod = 1 } = HostConfig;
      // Podman keeps what it comes to.
      assert.equal(NanoCpus === 0 ? CpuQuota / CpuPeriod : NanoCpus / 1e9, 1.5);
      const { connection, status } = await ContainerConnection.open(endpoint, 'test');
      connection.close();
      assert.equal(status.containerId, endpoint.containerId);
      const shown = JSON.stringify([Config, HostConfig]);
      assert.ok(!shown.includes(endpoint.token), 'the token can be seen from outside');
      assert.ok(!shown.includes(box.root), 'a path of this machine can be seen from outside');
    });

    it('stops when it is let go, and a new one takes its place and its port', async () => {
      const target = box.target();
      const client = box.client();
      await client.start(box.options());
      const first = await box.container();
      await client.cool();
      // The client may be reading what is left of the history by a helper in its place.
      await untilTrue(async () => (await box.containers()).every(({ State }) => !State.Running));
      assert.equal(await target.find(), undefined);
      assert.deepEqual(await target.settle(), []);

      const endpoint = await target.start(box.options(), box.progress);
      assert.notEqual((await box.container()).Id, first.Id);
      assert.deepEqual(await target.find(), endpoint);
    });

    it('ends as `cool` does when the engine stops it', async () => {
      await box.target().start(box.options(), box.progress);
      const { Id } = await box.container();
      await box.docker.getContainer(Id).stop({ t: 20 });
      assert.equal((await box.container()).State.ExitCode, 0);
    });

    it('says which port is taken', async () => {
      const blocker = createServer().listen(0, '127.0.0.1');
      await new Promise((done) => blocker.once('listening', done));
      const address = blocker.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      try {
        await assert.rejects(
          box.target().start(box.options({ port }), box.progress),
          /could not start the container.*(already allocated|already in use).*tinyCats\.port/is,
        );
        assert.deepEqual(await box.containers(), []);
      } finally {
        blocker.close();
      }
    });

    it('says what the container wrote when it ends at once', async () => {
      const broken = join(box.root, 'broken');
      await mkdir(broken);
      await writeFile(join(broken, 'container.js'), 'console.error("no luck today"); process.exit(7);');
      await assert.rejects(
        box.target({}, broken).start(box.options(), box.progress),
        /ended with exit code 7 while it started.*no luck today/s,
      );
    });

    it('says that the image cannot be had', async () => {
      const image = 'registry.invalid/tiny-cats/none:1';
      const findings = await box.target({ image }).check();
      assert.equal(findings.find(({ severity }) => severity === 'warning')?.remedy, `${kind} pull ${image}`);
      await assert.rejects(
        box.target({ image }).start(box.options(), box.progress),
        /has no image "registry\.invalid\/tiny-cats\/none:1" and cannot pull it/,
      );
      assert.deepEqual(box.phases, ['image pull']);
    });

    it('builds its image from the Containerfile that comes along, once', async () => {
      const bundleDir = join(box.root, 'dist');
      await cp(box.bundleDir, bundleDir, { recursive: true });
      // The shipped one needs a registry.
      await writeFile(
        join(bundleDir, 'containers/Containerfile'),
        `FROM ${engine.image}\nLABEL of="${box.outputsVolume}"\n`,
      );
      const target = box.target({ image: undefined }, bundleDir);
      const findings = await target.check();
      assert.ok(findings.some(({ what }) => what.includes('built at the first start')));
      await target.start(box.options(), box.progress);
      assert.deepEqual(box.phases, ['image build', 'code sent', 'start']);
      assert.ok(
        box.logged.some((line) => /^Building the container image: step 1/i.test(line)),
        box.logged.join('\n'),
      );
      const after = await target.check();
      assert.ok(
        after.some(({ what }) => /^The image localhost\/tiny-cats:cpu-[0-9a-f]{12} is there$/.test(what)),
      );
      const { Image } = await box.container();
      for (const { Id } of await box.containers()) {
        await box.docker.getContainer(Id).remove({ force: true });
      }
      await box.docker.getImage(Image).remove({ force: true });
    });

    it('refuses to do without the GPU that it was to have', async function () {
      if (engine.hasGpuDouble && kind === 'docker') {
        this.skip();
      }
      await assert.rejects(
        box.target({ gpu: 'all' }).start(box.options(), box.progress),
        /nvidia-ctk (cdi generate|runtime configure)/,
      );
      assert.deepEqual(await box.containers(), []);
    });

    it('gets the (doubled) GPU, and looks for it inside', async function () {
      if (!engine.hasGpuDouble) {
        this.skip();
      }
      const takeAway = kind === 'podman' ? await describeGpuDouble() : undefined;
      try {
        await box.target({ gpu: 'all' }).start(box.options(), box.progress);
        assert.ok(box.logged.includes('GPU devices in the container: nvidia0'), box.logged.join('\n'));
      } finally {
        await takeAway?.();
      }
    });

    it('checks what is there', async () => {
      const findings = await box.target({ cpus: 1000 }).check();
      assert.deepEqual(
        findings.map(({ severity }) => severity),
        ['ok', 'ok', 'error'],
      );
      assert.match(findings[0]?.what ?? '', /^(Podman|Docker Engine) [\d.]+.* answers at \//);
      const [missing] = await box.target({ socket: '/nowhere/docker.sock' }).check();
      assert.match(missing?.what ?? '', /No Docker Engine answers at \/nowhere\/docker\.sock/);
      assert.equal(missing?.remedy, 'sudo systemctl enable --now docker');
      const other = kind === 'podman' ? 'docker' : 'podman';
      const [mistaken] = await box.target({ engine: other }).check();
      assert.ok(mistaken?.what.includes(`the target asks for ${other}`));
    });
  });
}

/** Describes a double of an NVIDIA GPU as its toolkit would a real one; the device is /dev/null by another name. */
async function describeGpuDouble(): Promise<() => Promise<void>> {
  const file = `/var/run/cdi/tiny-cats-double-${process.pid}.json`;
  const device = { path: '/dev/nvidia0', hostPath: '/dev/null', type: 'c', major: 1, minor: 3 };
  await mkdir('/var/run/cdi', { recursive: true });
  await writeFile(
    file,
    JSON.stringify({
      cdiVersion: '0.5.0',
      kind: 'nvidia.com/gpu',
      devices: [{ name: 'all', containerEdits: { deviceNodes: [device] } }],
    }),
  );
  return () => rm(file, { force: true });
}
