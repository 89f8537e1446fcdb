import Dockerode from 'dockerode';
import { mkdtempSync, realpathSync } from 'node:fs';
import { cp, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ContainerClient } from '../../../src/client/containerClient';
import { OutputsVolume } from '../../../src/volume/outputsVolume';
import { SHORT } from '../../container/support/place';
import type { DockerConfig } from '../../../src/targets/docker/config';
import { createDockerTarget } from '../../../src/targets/docker/bundle';
import type { DockerTarget } from '../../../src/targets/docker/dockerTarget';
import { ignoreStatus } from '../../../src/targets/docker/problems';
import { parseTargets } from '../../../src/targets/config';
import type { ContainerOptions, StartProgress } from '../../../src/targets/target';
import type { EngineKind, TestEngine } from './engines';
import { EngineUnavailable, startEngine } from './engines';

let engines: Partial<Record<EngineKind, Promise<TestEngine>>> = {};

/**
 * The engine of that kind, which all tests share.
 * @returns undefined, after a notice, where it cannot run
 */
export async function engineForTests(kind: EngineKind): Promise<TestEngine | undefined> {
  engines[kind] ??= startEngine(kind);
  try {
    return await engines[kind];
  } catch (error) {
    if (error instanceof EngineUnavailable) {
      console.error(`Not tested: ${kind}. ${error.message}`);
      return undefined;
    }
    throw error;
  }
}

/** Ends the engines that were started. To be called once, after all tests. */
export async function stopEngines(): Promise<void> {
  const started = Object.values(engines);
  engines = {};
  await Promise.all(
    started.map(async (engine) => {
      await (await engine.catch(() => undefined))?.stop();
    }),
  );
}

const SETTINGS = { scaledownWindowMs: 120_000, keepDates: 5 };
let count = 0;

/** Volumes, folders and containers of one test in an engine. */
export class EngineBox {
  readonly docker: Dockerode;
  readonly logged: string[] = [];
  readonly phases: string[] = [];
  readonly progress: StartProgress = {
    phase: async (name, work) => {
      this.phases.push(name);
      return work();
    },
    log: (text) => this.logged.push(text),
  };
  private readonly clients: ContainerClient[] = [];
  private readonly formerHome = process.env.TINY_CATS_HOME;
  private readonly key: string;

  private constructor(
    readonly engine: TestEngine,
    readonly root: string,
    readonly bundleDir: string,
  ) {
    this.docker = new Dockerode({ socketPath: engine.socket, host: undefined, protocol: 'http' });
    this.key = `tiny-cats-test-${process.pid}-${(count += 1)}`;
    process.env.TINY_CATS_HOME = join(root, 'home');
  }

  static async make(engine: TestEngine): Promise<EngineBox> {
    const root = await realpath(await mkdtemp(join(tmpdir(), 'tiny cats "engine" ')));
    return new EngineBox(engine, root, await bundle());
  }

  get outputsVolume(): string {
    return `${this.key}-outputs`;
  }

  get outputsDir(): string {
    return join(this.root, 'outputs');
  }

  config(changes: object = {}): DockerConfig {
    const [config] = parseTargets([
      {
        kind: 'docker',
        name: `box ${this.engine.kind}`,
        socket: this.engine.socket,
        image: this.engine.image,
        gpu: 'none',
        outputsVolume: this.outputsVolume,
        dataVolume: `${this.key}-data`,
        ...changes,
      },
    ]);
    if (config?.kind !== 'docker') {
      throw new Error('no target of kind docker');
    }
    return config;
  }

  get volume(): OutputsVolume {
    return new OutputsVolume(this.outputsDir);
  }

  client(changes: object = {}): ContainerClient {
    const client = new ContainerClient(this.target(changes), this.volume, 'test');
    this.clients.push(client);
    return client;
  }

  target(changes: object = {}, bundleDir = this.bundleDir, slot = 0): DockerTarget {
    return createDockerTarget(this.config(changes), {
      bundleDir,
      slot,
      outputsDir: this.outputsDir,
      dataDir: join(this.root, 'data'),
    });
  }

  options(changes: Partial<ContainerOptions> = {}): ContainerOptions {
    const hint = { recipe: 'classifier', params: SHORT };
    return { engine: 'auto', port: 0, settings: SETTINGS, hint, ...changes };
  }

  /** Containers of this box as the engine lists them, running or not. */
  async containers(): Promise<Dockerode.ContainerInspectInfo[]> {
    const label = [`tiny-cats.outputs=${this.outputsVolume}`];
    const found = await this.docker.listContainers({ all: true, filters: { label } });
    return Promise.all(found.map(({ Id }) => this.docker.getContainer(Id).inspect()));
  }

  /** The one container of this box. */
  async container(): Promise<Dockerode.ContainerInspectInfo> {
    const [only, ...others] = await this.containers();
    if (only === undefined || others.length > 0) {
      throw new Error(`there are ${others.length + (only === undefined ? 0 : 1)} containers`);
    }
    return only;
  }

  /** Ends a container at once, without a word to it. */
  async kill(slot = 0): Promise<void> {
    const running = (await this.containers()).find(
      ({ State, Config }) => State.Running && Config.Labels['tiny-cats.slot'] === String(slot),
    );
    if (running === undefined) {
      throw new Error(`no container runs in slot ${slot}`);
    }
    if (this.engine.isPrivate) {
      process.kill(running.State.Pid, 'SIGKILL');
    } else {
      await this.docker.getContainer(running.Id).kill();
    }
  }

  async dispose(): Promise<void> {
    for (const client of this.clients) {
      client.dispose();
    }
    for (const { Id } of await this.containers()) {
      // A helper goes by itself.
      await this.docker.getContainer(Id).remove({ force: true, v: true }).catch(ignoreStatus(404, 409));
    }
    for (const name of [this.outputsVolume, `${this.key}-data`]) {
      await this.docker
        .getVolume(name)
        .remove()
        .catch(() => undefined);
    }
    if (this.formerHome === undefined) {
      Reflect.deleteProperty(process.env, 'TINY_CATS_HOME');
    } else {
      process.env.TINY_CATS_HOME = this.formerHome;
    }
    await rm(this.root, { recursive: true, force: true });
  }
}

let copied: Promise<string> | undefined;

/** A copy of dist/, so that a build in the meantime does not change what is tested. */
function bundle(): Promise<string> {
  copied ??= (async () => {
    const dir = mkdtempSync(join(realpathSync(tmpdir()), 'tiny-cats-dist-'));
    after(() => rm(dir, { recursive: true, force: true }));
    await cp(resolve('dist'), dir, { recursive: true });
    return dir;
  })();
  return copied;
}
