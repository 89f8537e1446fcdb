import { fork } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, realpathSync, renameSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { parse } from '../../protocol/schema';
import { settleInterruptedRuns } from '../../volume/interrupted';
import { makeFolder } from '../../volume/makeFolder';
import { LOCAL_TARGET } from '../config';
import type { ContainerOptions, Endpoint, Finding, Target } from '../target';
import { ContainerStartError, SOCKET_URL } from '../target';
import type { Descriptor } from './descriptor';
import { ensurePrivateDir, readDescriptor, removeDescriptor } from './descriptor';
import { detachedEnvironment } from './detachedEnvironment';
import { mayBeLive } from './livingContainers';
import { containerDir, enginesDir } from './paths';
import { isAlive } from './processIdentity';
import type { Elsewhere, Listen, StartOptions, StartReport } from './startOptions';
import { START_OPTIONS_VARIABLE, startReportSchema } from './startOptions';

const START_TIMEOUT_MS = 20_000;
const START_ATTEMPTS = 3;
/** A container's log that has grown larger than this is set aside when the next one starts. */
const MAX_LOG_BYTES = 1024 * 1024;

export interface LocalTargetPaths {
  /** Folder of container.js and trainer.js. */
  bundleDir: string;
  outputsDir: string;
  dataDir: string;
  /** Which of the volume's containers; see `containerDir`. */
  slot?: number;
}

export interface LocalTargetOptions {
  /** What runs are told of where they ran; of a target elsewhere whose agent this is. */
  name?: string;
  listen?: Listen;
  elsewhere?: Elsewhere;
}

/** Containers that are processes of this machine, detached from the process that started them. */
export class LocalTarget implements Target {
  readonly kind = 'local';
  readonly name: string;
  private readonly listen: Listen | undefined;
  private readonly elsewhere: Elsewhere | undefined;
  private constructor(
    private readonly bundleDir: string,
    readonly outputsDir: string,
    readonly dataDir: string,
    private readonly dir: string,
    { name = LOCAL_TARGET.name, listen, elsewhere }: LocalTargetOptions,
  ) {
    this.name = name;
    this.listen = listen;
    this.elsewhere = elsewhere;
  }

  /**
   * Makes the volumes' folders if they are missing.
   * @throws ContainerStartError if a folder cannot be made or written
   */
  static open(
    { bundleDir, outputsDir, dataDir, slot }: LocalTargetPaths,
    options: LocalTargetOptions = {},
  ): LocalTarget {
    const outputs = ensureVolume(outputsDir, 'outputs', 'tinyCats.outputsFolder or --outputs-dir');
    const data = ensureVolume(dataDir, 'data', 'tinyCats.dataFolder or --data-volume');
    return new LocalTarget(bundleDir, outputs, data, containerDir(outputs, slot), options);
  }

  async find(): Promise<Endpoint | undefined> {
    const descriptor = await this.living();
    return descriptor === undefined ? undefined : endpointOf(descriptor);
  }

  /** What the living container says of itself. */
  async living(): Promise<Descriptor | undefined> {
    const descriptor = await readDescriptor(this.dir);
    return descriptor !== undefined && isAlive(descriptor.pid, descriptor.pidStartTime)
      ? descriptor
      : undefined;
  }

  async start(options: ContainerOptions): Promise<Endpoint> {
    const living = await this.find();
    if (living !== undefined) {
      return living;
    }
    await ensurePrivateDir(this.dir);
    for (let attempt = 1; ; attempt += 1) {
      const report = await this.spawn(options);
      if (report.type === 'failed') {
        throw new ContainerStartError(report.message);
      }
      const endpoint = await this.find();
      if (endpoint !== undefined) {
        return endpoint;
      }
      // The container that owned the volume may have left just now.
      if (report.type === 'listening' || attempt === START_ATTEMPTS) {
        throw new ContainerStartError(`The container ended right after its start. ${await this.logTail()}`);
      }
    }
  }

  async kill(): Promise<void> {
    const descriptor = await readDescriptor(this.dir);
    if (descriptor !== undefined && isAlive(descriptor.pid, descriptor.pidStartTime)) {
      process.kill(descriptor.pid, 'SIGKILL');
      while (isAlive(descriptor.pid, descriptor.pidStartTime)) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    await this.settle();
  }

  async settle(): Promise<string[]> {
    const descriptor = await readDescriptor(this.dir);
    if (descriptor !== undefined) {
      if (isAlive(descriptor.pid, descriptor.pidStartTime)) {
        return [];
      }
      await removeDescriptor(this.dir, descriptor.containerId);
    }
    return settleInterruptedRuns(this.outputsDir, mayBeLive(this.outputsDir, this.elsewhere));
  }

  check(): Promise<Finding[]> {
    return Promise.resolve([{ severity: 'ok', what: `Node ${process.versions.node} on this machine` }]);
  }

  async dispose(): Promise<void> {
    // There is no connection to keep.
  }

  private get logFile(): string {
    return join(this.dir, 'container.log');
  }

  private async spawn(options: ContainerOptions): Promise<StartReport> {
    const startOptions: StartOptions = {
      ...options,
      outputsDir: this.outputsDir,
      dataDir: this.dataDir,
      containerDir: this.dir,
      enginesDir: enginesDir(),
      target: this.name,
      ...(this.listen === undefined ? {} : { listen: this.listen }),
      spawnedAt: Date.now(),
    };
    this.setLogAside();
    const log = openSync(this.logFile, 'a', 0o600);
    const child = fork(join(this.bundleDir, 'container.js'), [], {
      cwd: this.dir,
      detached: true,
      env: { ...detachedEnvironment(), [START_OPTIONS_VARIABLE]: JSON.stringify(startOptions) },
      execArgv: [],
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    try {
      return await new Promise<StartReport>((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(
            new ContainerStartError(`The container did not answer within ${START_TIMEOUT_MS / 1000} s.`),
          );
        }, START_TIMEOUT_MS);
        const settle = (act: () => void): void => {
          clearTimeout(timer);
          act();
        };
        child.once('message', (message: unknown) =>
          settle(() => {
            try {
              resolve(parse(startReportSchema, message, 'start report'));
            } catch (error) {
              reject(error instanceof Error ? error : new Error(String(error)));
            }
          }),
        );
        child.once('error', (error) =>
          settle(() =>
            reject(new ContainerStartError(`The container could not be started: ${error.message}`)),
          ),
        );
        child.once('exit', (code, signal) => {
          const ended = (): void =>
            settle(() => {
              void this.logTail().then((tail) => {
                const how = signal === null ? `with exit code ${String(code)}` : `by ${signal}`;
                reject(new ContainerStartError(`The container ended ${how} while it started. ${tail}`));
              });
            });
          // Its last words may still be in the channel.
          if (child.connected) {
            child.once('disconnect', ended);
          } else {
            ended();
          }
        });
      });
    } finally {
      child.removeAllListeners();
      child.on('error', () => undefined);
      if (child.connected) {
        child.disconnect();
      }
      child.unref();
    }
  }

  private setLogAside(): void {
    const facts = statSync(this.logFile, { throwIfNoEntry: false });
    if (facts !== undefined && facts.size > MAX_LOG_BYTES) {
      renameSync(this.logFile, join(this.dir, 'container.previous.log'));
    }
  }

  private async logTail(): Promise<string> {
    const text = await readFile(this.logFile, 'utf8').catch(() => '');
    const lines = text.trimEnd().split('\n').slice(-5).join('\n');
    return lines === ''
      ? `Its log, ${this.logFile}, is empty.`
      : `Its log (${this.logFile}) ends with:\n${lines}`;
  }
}

/** Where the container of a descriptor is reached on its own machine. */
function endpointOf({ containerId, port, socketPath, token }: Descriptor): Endpoint {
  return socketPath === undefined
    ? { containerId, url: `ws://127.0.0.1:${port}/`, token }
    : { containerId, url: SOCKET_URL, token, connect: () => connect(socketPath) };
}

function ensureVolume(dir: string, volume: string, option: string): string {
  try {
    makeFolder(dir);
    accessSync(dir, constants.W_OK | constants.X_OK);
    return realpathSync(dir);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ContainerStartError(
      `The ${volume} volume "${dir}" cannot be written (${reason}). Make it a writable folder, or choose another with ${option}.`,
    );
  }
}
