import { EventEmitter } from 'node:events';
import type { ContainerStatus } from '../protocol/container';
import type { RunEvent } from '../protocol/events';
import type { ParameterValues } from '../protocol/parameters';
import type { MethodName, MethodParams, MethodResult } from '../protocol/rpc';
import type { RunRecord } from '../protocol/run';
import type { ContainerOptions, Endpoint, Target } from '../targets/target';
import type { OutputsVolume } from '../volume/outputsVolume';
import { ContainerConnection } from './connection';
import { Follower } from './follower';

/** `none`: there is no container; `reconnecting`: there is one, and the way to it is being restored. */
export type Link = 'none' | 'connected' | 'reconnecting';

interface ClientEvents {
  /** Link or status have changed. */
  change: [];
  /** A run is new or its record has changed. */
  run: [RunRecord];
  /** The container died while these runs were in it; they are marked as failed. */
  died: [runIds: string[]];
}

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5000;

/** A client's view of the container of one outputs volume: finds it, starts it, stays with it. */
export class ContainerClient extends EventEmitter<ClientEvents> {
  private connection: ContainerConnection | undefined;
  private lastStatus: ContainerStatus | undefined;
  private currentLink: Link = 'none';
  private readonly followers = new Set<Follower>();
  private disposed = false;
  private wakeRetry: (() => void) | undefined;

  /** @param name who this client is: "VS Code", "command line" */
  constructor(
    readonly target: Target,
    readonly volume: OutputsVolume,
    private readonly name: string,
  ) {
    super();
  }

  get link(): Link {
    return this.currentLink;
  }

  /** Status of the container; undefined while there is none. */
  get status(): ContainerStatus | undefined {
    return this.lastStatus;
  }

  /**
   * Connects to the container that lives already.
   * @returns false if there is none; runs that one left behind when it died are settled then
   */
  async connect(): Promise<boolean> {
    if (this.connection !== undefined) {
      return true;
    }
    const endpoint = await this.target.find();
    if (endpoint === undefined) {
      await this.target.settle();
      return false;
    }
    await this.open(endpoint);
    return true;
  }

  /**
   * Connects to the living container, or starts one.
   * @throws ContainerStartError
   */
  async start(options: ContainerOptions): Promise<ContainerStatus> {
    if (this.connection === undefined) {
      await this.open(await this.target.start(options));
    }
    const status = await this.request('status', {});
    this.update(status);
    await this.request('configure', options.settings);
    return status;
  }

  /**
   * Starts a run, in a new container if there is none.
   * @returns the run's id
   * @throws Error if it was refused; then there is no run
   */
  async train(recipe: string, params: ParameterValues, options: ContainerOptions): Promise<string> {
    const askedAt = performance.now();
    await this.start(options);
    const waitedMs = performance.now() - askedAt;
    return (await this.request('train', { recipe, params, waitedMs })).runId;
  }

  async stop(runId: string, kill: boolean): Promise<void> {
    await this.request('stop', { runId, kill });
  }

  /** Lets the container go and returns once it is gone. */
  async cool(): Promise<void> {
    const { connection } = this;
    if (connection === undefined) {
      return;
    }
    const gone = new Promise<void>((resolve) => connection.once('close', () => resolve()));
    await this.request('cool', {});
    await gone;
  }

  /** @throws Error if there is no link to a container just now */
  async request<M extends MethodName>(method: M, params: MethodParams<M>): Promise<MethodResult<M>> {
    if (this.connection === undefined) {
      throw new Error(
        this.currentLink === 'reconnecting'
          ? 'The link to the container dropped and is being restored. Try again in a moment.'
          : 'There is no warm container.',
      );
    }
    return this.connection.request(method, params);
  }

  /**
   * Hands over the run's events after `afterSeq`, those to come included, each once and in order, through
   * dropped links and the death of the container.
   */
  follow(runId: string, afterSeq: number, listener: (events: RunEvent[]) => void): { dispose(): void } {
    const follower = new Follower(runId, afterSeq, listener);
    this.followers.add(follower);
    void this.catchUp(follower);
    return {
      dispose: () => {
        this.followers.delete(follower);
        if (![...this.followers].some((other) => other.runId === runId)) {
          this.connection?.request('detach', { runId }).catch(() => undefined);
        }
      },
    };
  }

  dispose(): void {
    this.disposed = true;
    this.followers.clear();
    this.wakeRetry?.();
    this.connection?.close();
    this.removeAllListeners();
  }

  private async open(endpoint: Endpoint): Promise<void> {
    const { connection, status } = await ContainerConnection.open(endpoint, this.name);
    this.connection = connection;
    this.currentLink = 'connected';
    connection.on('status', (next) => this.update(next));
    connection.on('run', (record) => this.emit('run', record));
    connection.on('event', (event) => this.deliver(event));
    connection.once('close', (_reason, graceful) => void this.linkEnded(connection, graceful));
    this.update(status);
    for (const follower of this.followers) {
      void this.catchUp(follower);
    }
  }

  private update(status: ContainerStatus | undefined): void {
    this.lastStatus = status;
    this.emit('change');
  }

  private deliver(event: RunEvent): void {
    for (const follower of this.followers) {
      if (follower.runId === event.runId && !follower.take([event])) {
        void this.catchUp(follower);
      }
    }
  }

  /** From the container if there is one, since it goes on live; else from the volume. */
  private async catchUp(follower: Follower): Promise<void> {
    const { runId } = follower;
    try {
      if (this.connection !== undefined) {
        await this.connection.request('attach', { runId, afterSeq: follower.lastSeq });
      } else {
        follower.take(await this.volume.readRunEvents(runId, follower.lastSeq));
      }
    } catch {
      // The link ended meanwhile: `linkEnded` catches up again, by the next link or from the volume.
    }
  }

  private async linkEnded(connection: ContainerConnection, graceful: boolean): Promise<void> {
    if (this.connection !== connection) {
      return;
    }
    this.connection = undefined;
    if (this.disposed) {
      return;
    }
    if (graceful) {
      await this.containerGone();
      return;
    }
    this.currentLink = 'reconnecting';
    this.emit('change');
    await this.reconnect();
  }

  /** Tries until it has a link again or the container is known to be dead. */
  private async reconnect(): Promise<void> {
    for (let delayMs = FIRST_RETRY_MS; !this.disposed; delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)) {
      try {
        const endpoint = await this.target.find();
        if (endpoint === undefined) {
          await this.containerGone();
          return;
        }
        await this.open(endpoint);
        return;
      } catch {
        // Between half and the whole of the delay, so that several windows do not come back in step.
        await this.pause(delayMs * (0.5 + Math.random() / 2));
      }
    }
  }

  private async containerGone(): Promise<void> {
    const interrupted = await this.target.settle();
    this.currentLink = 'none';
    for (const follower of this.followers) {
      await this.catchUp(follower);
    }
    for (const runId of interrupted) {
      const dir = await this.volume.findRun(runId);
      const record = dir === undefined ? undefined : await this.volume.readRecord(dir);
      if (record !== undefined) {
        this.emit('run', record);
      }
    }
    this.update(undefined);
    if (interrupted.length > 0) {
      this.emit('died', interrupted);
    }
  }

  private async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wakeRetry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
