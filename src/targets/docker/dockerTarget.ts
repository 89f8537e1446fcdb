import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AgentClient } from '../agent/agentClient';
import type { AgentPlace } from '../agent/protocol';
import { Bundle } from '../bundle';
import type { Elsewhere, StartOptions } from '../local/startOptions';
import type { ContainerOptions, Endpoint, Finding, RunHistory, StartProgress, Target } from '../target';
import { noSnapshots } from '../target';
import { checkDocker } from './check';
import type { DockerConfig } from './config';
import type { ContainerSpec } from './containerSpec';
import { NameTaken, createAndStart } from './create';
import { endpointOf } from './descriptor';
import { Engine } from './engine';
import type { GpuWish } from './gpu';
import { gpuWish, gpusInside, noGpuError } from './gpu';
import type { HelperPlace } from './helper';
import { withHelper } from './helper';
import type { ImageSource } from './image';
import { ensureImage, imageSource } from './image';
import type { Names } from './layout';
import { INSIDE, LABEL } from './layout';
import type { Ledger } from './ledger';
import type { Present } from './presence';
import { failEnded, findOthers, findPresent, inspect, remove } from './presence';
import { ignoreStatus, startError } from './problems';
import { LISTEN_TIMEOUT_MS, POLL_MS, reached } from './reached';
import { restoreLast } from './restoreLast';
import { checkpoint, findAside, forgetSnapshots, goOn, makeOf, makeWay, snapshotError } from './snapshots';
import { startOptions } from './startOptions';

export interface DockerTargetDeps {
  config: DockerConfig;
  /** Folder of container.js and trainer.js. */
  bundleDir: string;
  names: Names;
  slot: number;
  ledger: Ledger;
}

/** A container of Docker Engine or Podman. It stays, stopped, when its scaledown window has passed; the next start replaces it. */
export class DockerTarget implements Target {
  readonly kind = 'docker';
  readonly name: string;
  private opened: Promise<Engine> | undefined;
  private code: Promise<Bundle> | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly deps: DockerTargetDeps) {
    this.name = deps.config.name;
  }

  async find(): Promise<Endpoint | undefined> {
    const engine = await this.engine();
    const present = await this.present(engine);
    if (present?.state !== 'running' || present.role !== 'container') {
      return undefined;
    }
    const endpoint = await endpointOf(engine, present).catch(async (error: unknown) => {
      // It may have ended while it was looked into.
      if ((await inspect(engine, present.id))?.state === 'running') {
        throw error;
      }
      return undefined;
    });
    if (endpoint !== undefined) {
      await this.deps.ledger.note({ mayBeUnsettled: true, isRead: false });
    }
    return endpoint;
  }

  async start(options: ContainerOptions, progress: StartProgress): Promise<Endpoint> {
    const engine = await this.engine();
    try {
      for (;;) {
        const endpoint = await this.startOnce(engine, options, progress);
        if (endpoint !== undefined) {
          await this.deps.ledger.note({ mayBeUnsettled: true, isRead: false });
          return endpoint;
        }
      }
    } catch (error) {
      throw startError(`${engine.title} could not start the container`, error);
    }
  }

  kill(): Promise<void> {
    return this.inTurn(async (engine) => {
      const present = await this.present(engine);
      if (present?.state === 'running') {
        const container = engine.slow.getContainer(present.id);
        await container.kill().catch(ignoreStatus(404, 409, 500));
        await container.wait().catch(ignoreStatus(404));
        await this.deps.ledger.note({ mayBeUnsettled: true });
      }
      // What has to be killed is not to come back.
      await forgetSnapshots(engine, this.deps.names.container, await this.present(engine));
      await this.settleNow(engine);
    });
  }

  snapshot(freeze: (freezeId: string) => Promise<void>): Promise<void> {
    return this.inTurn(async (engine) => {
      const present = await this.present(engine);
      if (engine.kind !== 'podman') {
        throw noSnapshots(this.name);
      }
      if (present?.state !== 'running') {
        throw new Error('There is no warm container.');
      }
      const freezeId = randomUUID();
      await freeze(freezeId);
      try {
        await checkpoint(engine, present.id, freezeId);
      } catch (error) {
        throw snapshotError(engine, error);
      } finally {
        await goOn(engine, present.id, freezeId);
      }
      const aside = await findAside(engine, this.deps.names.container);
      if (aside !== undefined) {
        await remove(engine, aside.id);
      }
    });
  }

  settle(): Promise<string[]> {
    return this.inTurn((engine) => this.settleNow(engine));
  }

  history(after: ReadonlyMap<string, number>): Promise<RunHistory[]> {
    return this.inTurn(async (engine) => {
      const { ledger } = this.deps;
      const present = await this.undisturbed(engine);
      const isThere = present !== undefined && present.state !== 'stopped';
      const isKnown = (await ledger.facts()).isRead && after.size > 0;
      if (isThere || isKnown || !(await this.hasVolume(engine))) {
        return [];
      }
      if (present !== undefined) {
        await this.makeWay(engine, present);
      }
      const runs = await this.askHelper(engine, (agent) => agent.history(after));
      if (runs !== undefined) {
        await ledger.note({ isRead: true });
      }
      return runs ?? [];
    });
  }

  async check(signal?: AbortSignal): Promise<Finding[]> {
    return checkDocker(this.deps.config, this.deps.bundleDir, signal);
  }

  dispose(): Promise<void> {
    this.opened = undefined;
    return Promise.resolve();
  }

  private async settleNow(engine: Engine): Promise<string[]> {
    const { ledger } = this.deps;
    const present = await this.undisturbed(engine);
    if (present !== undefined && present.state !== 'stopped') {
      return [];
    }
    const { mayBeUnsettled } = await ledger.facts();
    // A supervisor that leaves by itself has ended its runs.
    const died = present === undefined ? mayBeUnsettled : present.exitCode !== 0;
    if (!died) {
      await ledger.note({ mayBeUnsettled: false });
      return [];
    }
    if (present !== undefined) {
      await this.makeWay(engine, present);
    }
    const runIds = await this.askHelper(engine, (agent) => agent.settle());
    if (runIds === undefined) {
      return [];
    }
    await ledger.note({ mayBeUnsettled: false, isRead: false });
    return runIds;
  }

  /** What is there once no helper is. */
  private async undisturbed(engine: Engine): Promise<Present | undefined> {
    let present = await this.present(engine);
    while (present?.role === 'helper') {
      await this.otherIsDone(engine, present);
      present = await this.present(engine);
    }
    return present;
  }

  /** What may need a helper is done one after the other. */
  private inTurn<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    const turn = this.turn.then(async () => work(await this.engine()));
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  /** @returns undefined if another one was at it, and it has to be looked again */
  private async startOnce(
    engine: Engine,
    options: ContainerOptions,
    progress: StartProgress,
  ): Promise<Endpoint | undefined> {
    const present = await this.present(engine);
    if (present?.state === 'running' && present.role === 'container') {
      // Another window may have started it just now, or it may be on its way out.
      return reached(engine, present.id, () => undefined);
    }
    if (present !== undefined && present.state !== 'stopped') {
      return this.otherIsDone(engine, present);
    }
    const gpu = await this.gpu(engine);
    const source = await this.image(gpu);
    const code = await this.readCode();
    const elsewhere = await this.elsewhere(engine);
    const spec = this.spec(source.name, gpu, code, options);
    const inside = (): StartOptions => startOptions(this.name, options, elsewhere);
    const last = present ?? (await findAside(engine, this.deps.names.container));
    if (last !== undefined) {
      const restored = await restoreLast(engine, last, spec, inside, progress);
      if (restored !== 'not') {
        return restored;
      }
    }
    await ensureImage(engine, source, progress);
    let id: string;
    try {
      id = await createAndStart(
        engine,
        spec,
        code,
        () => JSON.stringify(inside()),
        (put) => progress.phase('code sent', put),
      );
    } catch (error) {
      if (error instanceof NameTaken) {
        await delay(POLL_MS);
        return undefined;
      }
      throw error;
    }
    return progress.phase('start', async () => {
      const endpoint = await reached(engine, id, (ended) => failEnded(engine, id, ended));
      await this.verifyGpu(engine, id, gpu, progress);
      return endpoint;
    });
  }

  private makeWay(engine: Engine, present: Present): Promise<void> {
    return makeWay(engine, present, this.deps.names.container);
  }

  /** Waits while another window or a helper has the volumes. */
  private async otherIsDone(engine: Engine, other: Present): Promise<undefined> {
    const until = performance.now() + LISTEN_TIMEOUT_MS;
    while (performance.now() < until) {
      const now = await inspect(engine, other.id);
      if (now?.state !== other.state) {
        return;
      }
      await delay(POLL_MS);
    }
    // Who made it is gone.
    await remove(engine, other.id);
  }

  private async verifyGpu(engine: Engine, id: string, gpu: GpuWish, progress: StartProgress): Promise<void> {
    if (gpu.choice === 'none') {
      return;
    }
    const devices = await gpusInside(engine, id);
    if (devices.length > 0) {
      progress.log(`GPU devices in the container: ${devices.join(', ')}`);
    } else if (gpu.isOptional) {
      progress.log('No GPU reached the container: it trains on the CPU.');
    } else {
      await remove(engine, id);
      throw noGpuError(engine);
    }
  }

  private spec(image: string, gpu: GpuWish, code: Bundle, options: ContainerOptions): ContainerSpec {
    const { names, slot, config } = this.deps;
    const { engine, port } = options;
    const spec = {
      name: names.container,
      image,
      entrypoint: 'node',
      args: [`${INSIDE.code}/container.js`, 'from', INSIDE.options],
      env: { TINY_CATS_HOME: INSIDE.state },
      volumes: this.volumes(),
      port: { inside: INSIDE.port, host: port },
      gpu: gpu.choice,
      ...(config.memoryMiB === undefined ? {} : { memoryMiB: config.memoryMiB }),
      ...(config.cpus === undefined ? {} : { cpus: config.cpus }),
      init: true,
      isTransient: false,
    };
    const labels = {
      [LABEL.role]: 'container',
      [LABEL.outputs]: names.outputsVolume,
      [LABEL.slot]: String(slot),
      [LABEL.target]: this.name,
      [LABEL.make]: makeOf(spec, code.hash, engine),
    };
    return { ...spec, labels };
  }

  private volumes(): ContainerSpec['volumes'] {
    const { outputsVolume, dataVolume } = this.deps.names;
    return [
      { name: outputsVolume, path: INSIDE.outputs },
      { name: dataVolume, path: INSIDE.data },
    ];
  }

  /** @returns undefined if the volumes have a container again, or there is no image for a helper */
  private async askHelper<T>(
    engine: Engine,
    work: (agent: AgentClient) => Promise<T>,
  ): Promise<T | undefined> {
    const { names, slot } = this.deps;
    const source = await this.image(await this.gpu(engine));
    const place: HelperPlace = {
      engine,
      image: source.name,
      code: await this.readCode(),
      name: names.container,
      volumes: this.volumes(),
      labels: {
        [LABEL.role]: 'helper',
        [LABEL.outputs]: names.outputsVolume,
        [LABEL.slot]: String(slot),
      },
    };
    const inside: AgentPlace = {
      home: INSIDE.state,
      outputsDir: INSIDE.outputs,
      dataDir: INSIDE.data,
      target: this.name,
      listen: { on: 'host', host: '0.0.0.0' },
      elsewhere: await this.elsewhere(engine),
    };
    for (;;) {
      try {
        return await withHelper(place, (exec) => work(new AgentClient(exec, inside)));
      } catch (error) {
        if (!(error instanceof NameTaken)) {
          throw error;
        }
        // Another window looks as well. Each has to: what that one is told, this one is not.
        if ((await this.undisturbed(engine)) !== undefined) {
          return undefined;
        }
        await delay(POLL_MS);
      }
    }
  }

  /** The volume's containers of other slots: none of them can look at another. */
  private async elsewhere(engine: Engine): Promise<Elsewhere> {
    const asOf = Date.now();
    const others = await findOthers(engine, this.deps.names.outputsVolume, this.deps.slot);
    const endpoints = await Promise.all(
      // One that ends or begins just now has runs that are older or newer.
      others.map((other) => endpointOf(engine, other).catch(() => undefined)),
    );
    return { asOf, containerIds: endpoints.flatMap((endpoint) => endpoint?.containerId ?? []) };
  }

  private async hasVolume(engine: Engine): Promise<boolean> {
    return engine.quick
      .getVolume(this.deps.names.outputsVolume)
      .inspect()
      .then(() => true, ignoreStatus(404))
      .then((found) => found === true);
  }

  private image(gpu: GpuWish): Promise<ImageSource> {
    const { config, bundleDir } = this.deps;
    return imageSource(config.image, gpu.choice !== 'none', bundleDir);
  }

  private gpu(engine: Engine): Promise<GpuWish> {
    return gpuWish(this.deps.config.gpu, engine);
  }

  private present(engine: Engine): Promise<Present | undefined> {
    return findPresent(engine, this.deps.names.outputsVolume, this.deps.slot);
  }

  private readCode(): Promise<Bundle> {
    this.code ??= Bundle.read(this.deps.bundleDir);
    return this.code;
  }

  private async engine(): Promise<Engine> {
    this.opened ??= Engine.find(this.deps.config);
    try {
      return await this.opened;
    } catch (error) {
      // It may answer the next time.
      this.opened = undefined;
      throw error;
    }
  }
}
