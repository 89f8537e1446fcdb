import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect as connectTls } from 'node:tls';
import * as v from 'valibot';
import { ContainerClient } from '../../../../src/client/containerClient';
import type { ParameterValues } from '../../../../src/protocol/parameters';
import { createModalTarget } from '../../../../src/targets/modal/bundle';
import type { ModalConfig } from '../../../../src/targets/modal/config';
import { modalConfigSchema } from '../../../../src/targets/modal/config';
import type { Ends } from '../../../../src/targets/modal/layout';
import type { ModalTarget } from '../../../../src/targets/modal/modalTarget';
import type { TargetDeps } from '../../../../src/targets/openTarget';
import type { ContainerOptions } from '../../../../src/targets/target';
import { OutputsVolume } from '../../../../src/volume/outputsVolume';
import { SHORT, makeImages } from '../../../container/support/place';
import { ModalDouble, TOKEN } from './modalDouble';
import { TUNNEL_CERTIFICATE } from './sandboxDouble';

const VARIABLES = {
  MODAL_TOKEN_ID: TOKEN.tokenId,
  MODAL_TOKEN_SECRET: TOKEN.tokenSecret,
  MODAL_CONFIG_PATH: '/dev/null',
};

/** A workspace whose container lives in the double of Modal. */
export class ModalPlace {
  private readonly targets: ModalTarget[] = [];
  private readonly clients: ContainerClient[] = [];
  private readonly former = new Map<string, string | undefined>();

  private constructor(
    readonly root: string,
    readonly double: ModalDouble,
    private readonly ports: readonly number[],
  ) {
    const own = { MODAL_SERVER_URL: double.url, TINY_CATS_HOME: join(root, 'state') };
    for (const [name, value] of Object.entries({ ...VARIABLES, ...own })) {
      this.former.set(name, process.env[name]);
      process.env[name] = value;
    }
  }

  static async make(): Promise<ModalPlace> {
    const root = await mkdtemp(join(tmpdir(), 'tiny-cats-modal-'));
    const place = new ModalPlace(root, await ModalDouble.start(join(root, 'modal')), [
      await freePort(),
      await freePort(),
    ]);
    await makeImages(place.images, { cat: 10, other: 10 });
    return place;
  }

  get images(): string {
    return join(this.root, 'images');
  }

  /** This side's copy of the history. */
  get volume(): OutputsVolume {
    return new OutputsVolume(join(this.root, 'mirror'));
  }

  /** A target as another window would have it. */
  target(config: Partial<ModalConfig> = {}, deps: Partial<TargetDeps> = {}): ModalTarget {
    const target = createModalTarget(
      v.parse(modalConfigSchema, { kind: 'modal', name: 'cloud', ...config }),
      {
        bundleDir: resolve('dist'),
        outputsDir: join(this.root, 'work space', 'outputs'),
        dataDir: join(this.root, 'data'),
        modalEnds: this.ends(0),
        ...deps,
      },
    );
    this.targets.push(target);
    return target;
  }

  /** What the double needs. @param slot of a container, which has a port to itself on this machine */
  ends(slot: number): Ends {
    return {
      layout: {
        outputs: join(this.root, 'mnt', 'outputs'),
        data: join(this.root, 'mnt', 'data'),
        port: this.ports[slot] ?? 0,
      },
      connect: (host, port) => connectTls({ host, port, ca: TUNNEL_CERTIFICATE }),
    };
  }

  client(target = this.target()): ContainerClient {
    const client = new ContainerClient(target, this.volume, 'test');
    this.clients.push(client);
    return client;
  }

  options(values: ParameterValues = {}): ContainerOptions {
    return {
      engine: 'auto',
      port: 0,
      settings: { scaledownWindowMs: 120_000 },
      hint: { recipe: 'classifier', params: { data_dir: this.images, ...SHORT, ...values } },
    };
  }

  async dispose(): Promise<void> {
    for (const client of this.clients) {
      client.dispose();
    }
    for (const target of this.targets) {
      await target.dispose();
    }
    await this.double.stop();
    for (const [name, value] of this.former) {
      if (value === undefined) {
        Reflect.deleteProperty(process.env, name);
      } else {
        process.env[name] = value;
      }
    }
    await rm(this.root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise<void>((done) => server.close(() => done()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
