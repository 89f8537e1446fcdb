import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ContainerClient } from '../../../src/client/containerClient';
import type { ContainerStatus } from '../../../src/protocol/container';
import type { ParameterValues } from '../../../src/protocol/parameters';
import type { RemoteTargetConfig, TargetConfig } from '../../../src/targets/config';
import type { TargetDeps } from '../../../src/targets/openTarget';
import { openTarget } from '../../../src/targets/openTarget';
import type { ContainerOptions } from '../../../src/targets/target';
import { OutputsVolume } from '../../../src/volume/outputsVolume';
import { Following } from '../../container/support/following';
import { endOf } from '../../container/support/waiting';

/** A training of well under a second. */
export const SHORT = { epochs: 1, batch_size: 8, image_size: 16, lr: 0.001 } as const;
/** A training that does not end by itself while a test looks at it. */
export const LONG = { ...SHORT, epochs: 10_000, warmup_epochs: 0 } as const;
/** A link that is silent for so long is given up, three times over. */
const HEARTBEAT_MS = 1000;

export interface BenchOptions {
  config: TargetConfig;
  /** Of a client of that slot. */
  deps?: (slot: number) => Partial<TargetDeps>;
  /** Phases that a start on such a target has. */
  startPhases: readonly string[];
  /** Undoes what was set up for the target. */
  close?: () => Promise<void>;
  root?: string;
  /** Ends a container's supervisor at once; without it by its pid, which is one of this machine. */
  kill?: (status: ContainerStatus) => Promise<void>;
  /** Nothing is left that could settle the runs of a container that died: the next one does. */
  nextSettles?: boolean;
}

/** A workspace and a target for a suite, in folders with spaces, quotes and letters beyond ASCII in their names. */
export class TargetBench {
  readonly images: string;
  private readonly clients: ContainerClient[] = [];
  private readonly slots = new Set([0]);

  private constructor(
    readonly root: string,
    private readonly options_: BenchOptions,
  ) {
    this.images = join(root, "Müllers 'images'");
    process.env.TINY_CATS_HOME = join(root, 'home');
  }

  static async open(options: BenchOptions): Promise<TargetBench> {
    return new TargetBench(options.root ?? (await newRoot()), options);
  }

  get startPhases(): readonly string[] {
    return this.options_.startPhases;
  }

  get nextSettles(): boolean {
    return this.options_.nextSettles ?? false;
  }

  /** Another window on the same workspace. @param slot which of its containers */
  client(slot = 0): ContainerClient {
    const { config, deps } = this.options_;
    const { target, outputsDir } = openTarget(config, {
      bundleDir: resolve('dist'),
      outputsDir: join(this.root, 'out puts'),
      dataDir: join(this.root, 'data "ö" 猫'),
      slot,
      ...deps?.(slot),
    });
    const client = new ContainerClient(target, new OutputsVolume(outputsDir), 'test', HEARTBEAT_MS);
    this.clients.push(client);
    this.slots.add(slot);
    return client;
  }

  /** What a window has that has chosen another target: the settings, and what it opens targets with. */
  get window(): { targets: RemoteTargetConfig[]; outputsDir: string; dataDir: string } & Partial<TargetDeps> {
    const { config, deps } = this.options_;
    return {
      ...deps?.(0),
      targets: config.kind === 'local' ? [] : [config],
      outputsDir: join(this.root, 'out puts'),
      dataDir: join(this.root, 'data "ö" 猫'),
    };
  }

  options(params: ParameterValues = SHORT): ContainerOptions {
    return {
      engine: 'wasm',
      port: 0,
      settings: { scaledownWindowMs: 120_000, keepDates: 5 },
      hint: { recipe: 'classifier', params: { data_dir: this.images, ...params } },
    };
  }

  /** Starts a run and follows it from its first event. */
  async train(client: ContainerClient, values: ParameterValues): Promise<Following> {
    const options = this.options(values);
    const runId = await client.train('classifier', options.hint.params, options);
    return new Following(client, runId);
  }

  async killSupervisor(status: ContainerStatus): Promise<void> {
    if (this.options_.kill !== undefined) {
      await this.options_.kill(status);
      return;
    }
    const ended = endOf(status.pid);
    process.kill(status.pid, 'SIGKILL');
    await ended();
  }

  /** Where a secret can be seen that should not be: arguments, environments, logs, events. */
  async seen(secret: string): Promise<string[]> {
    const found: string[] = [];
    const { stdout } = await promisify(execFile)('ps', ['axwwe', '-o', 'pid,args'], { maxBuffer: 2 ** 26 });
    if (stdout.includes(secret)) {
      found.push('ps');
    }
    for (const entry of await readdir(this.root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && entry.name !== 'container.json') {
        // One that is being written has another name by now, under which it is looked at.
        const content = await readFile(path).catch(() => '');
        if (content.includes(secret)) {
          found.push(path);
        }
      }
    }
    return found;
  }

  /** The windows of one test; the containers stay. */
  async closeWindows(): Promise<void> {
    for (const client of this.clients.splice(0)) {
      client.dispose();
      await client.target.dispose();
    }
  }

  async dispose(): Promise<void> {
    for (const slot of this.slots) {
      await this.client(slot)
        .target.kill()
        .catch(() => undefined);
    }
    await this.closeWindows();
    await this.options_.close?.();
    Reflect.deleteProperty(process.env, 'TINY_CATS_HOME');
    await rm(this.root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

export async function newRoot(): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), `tiny cats it's "ä" 猫 `)));
}
