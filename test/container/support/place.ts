import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ContainerClient } from '../../../src/client/containerClient';
import { encodePng } from '../../../src/container/data/pngEncode';
import type { ParameterValues } from '../../../src/protocol/parameters';
import { LocalTarget } from '../../../src/targets/local/localTarget';
import type { ContainerOptions } from '../../../src/targets/target';
import { OutputsVolume } from '../../../src/volume/outputsVolume';
import { Following } from './following';

let copiedBundle: Promise<string> | undefined;

/** A copy of dist/, so that a build in the meantime does not change what is tested. */
function bundle(): Promise<string> {
  copiedBundle ??= (async () => {
    const dir = mkdtempSync(join(realpathSync(tmpdir()), 'tiny-cats-dist-'));
    process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
    await cp(resolve('dist'), dir, { recursive: true });
    return dir;
  })();
  return copiedBundle;
}

/** A training of well under a second. */
export const SHORT = { epochs: 1, batch_size: 8, image_size: 16, lr: 0.001 } as const;
/** A training that does not end by itself while a test looks at it. */
export const LONG = { ...SHORT, epochs: 10_000, warmup_epochs: 0 } as const;

/** Settings for a container that stays while a test lasts. */
const SETTINGS = { scaledownWindowMs: 120_000, keepDates: 5 };

/** Folders of a test's own, with spaces, quotes and letters beyond ASCII in their names, and the containers in them. */
export class Place {
  readonly home: string;
  readonly outputsDir: string;
  readonly dataDir: string;
  /** An ImageFolder of two classes with ten small images each. */
  readonly images: string;
  private readonly clients: ContainerClient[] = [];
  private readonly formerHome = process.env.TINY_CATS_HOME;

  private constructor(
    readonly root: string,
    readonly bundleDir: string,
  ) {
    this.home = join(root, 'home');
    this.outputsDir = join(root, 'out puts');
    this.dataDir = join(root, 'data "ö" 猫');
    this.images = join(root, "Müllers 'images'");
    process.env.TINY_CATS_HOME = this.home;
  }

  static async make(): Promise<Place> {
    const root = await realpath(await mkdtemp(join(tmpdir(), `tiny cats it's "ä" 猫 `)));
    const place = new Place(root, await bundle());
    await makeImages(place.images, { cat: 10, other: 10 });
    return place;
  }

  get volume(): OutputsVolume {
    return new OutputsVolume(this.outputsDir);
  }

  /** Makes the volumes' folders. */
  target(): LocalTarget {
    const { bundleDir, outputsDir, dataDir } = this;
    return LocalTarget.open({ bundleDir, outputsDir, dataDir });
  }

  client(name = 'test'): ContainerClient {
    const client = new ContainerClient(this.target(), this.volume, name);
    this.clients.push(client);
    return client;
  }

  params(values: ParameterValues = {}): ParameterValues {
    return { data_dir: this.images, ...SHORT, ...values };
  }

  options(changes: Partial<ContainerOptions> = {}): ContainerOptions {
    const hint = { recipe: 'classifier', params: this.params() };
    return { engine: 'auto', port: 0, settings: SETTINGS, hint, ...changes };
  }

  /** Starts a run and follows it from its first event. */
  async train(client: ContainerClient, values: ParameterValues = {}): Promise<Following> {
    const params = this.params(values);
    const runId = await client.train(
      'classifier',
      params,
      this.options({ hint: { recipe: 'classifier', params } }),
    );
    return new Following(client, runId);
  }

  /** The run's folder. */
  async runDir(runId: string): Promise<string> {
    const dir = await this.volume.findRun(runId);
    if (dir === undefined) {
      throw new Error(`no folder for run ${runId}`);
    }
    return dir;
  }

  /** Ends what still runs and removes everything. */
  async dispose(): Promise<void> {
    for (const client of this.clients) {
      client.dispose();
    }
    process.env.TINY_CATS_HOME = this.home;
    await this.target().kill();
    if (this.formerHome === undefined) {
      Reflect.deleteProperty(process.env, 'TINY_CATS_HOME');
    } else {
      process.env.TINY_CATS_HOME = this.formerHome;
    }
    // A trainer ends a moment after its supervisor.
    await rm(this.root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/** Makes an ImageFolder that is learnt quickly: each class has a colour of its own. */
export async function makeImages(dir: string, counts: Record<string, number>): Promise<void> {
  for (const [index, [name, images]] of Object.entries(counts).entries()) {
    await mkdir(join(dir, name), { recursive: true });
    for (let image = 0; image < images; image += 1) {
      const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, at) =>
        at % 3 === index % 3 ? 210 : 60 + ((at * (image + 1)) % 60),
      );
      await writeFile(join(dir, name, `${image}.png`), encodePng(16, 16, pixels));
    }
  }
}
