import { EventEmitter, once } from 'node:events';
import { JSONRPCErrorException } from 'json-rpc-2.0';
import type { ContainerStatus } from '../protocol/container';
import type { RunEvent } from '../protocol/events';
import type { ParameterValues } from '../protocol/parameters';
import type { MethodName, MethodParams, MethodResult } from '../protocol/rpc';
import { ErrorCode } from '../protocol/rpc';
import type { RunRecord } from '../protocol/run';
import { StartPhases } from '../targets/startPhases';
import type { ContainerOptions, Endpoint, Target } from '../targets/target';
import { ContainerStartError, noSnapshots } from '../targets/target';
import type { DownloadOptions } from '../transfer/download';
import type { SendProgress } from '../transfer/sendFolder';
import { confine } from '../volume/confine';
import type { OutputsVolume } from '../volume/outputsVolume';
import { ContainerConnection } from './connection';
import { Followers } from './followers';
import { RemoteSide } from './remoteSide';

/** `none`: there is no container; `reconnecting`: there is one, and the way to it is being restored. */
export type Link = 'none' | 'connected' | 'reconnecting';

interface ClientEvents {
  /** Link or status have changed. */
  change: [];
  /** A run is new or its record has changed. */
  run: [RunRecord];
  /** The container died while these runs were in it; they are marked as failed. */
  died: [runIds: string[]];
  /** A line about the start of a container. */
  log: [text: string];
  /** How far the sending of data is; undefined once it has ended. */
  sending: [SendProgress | undefined];
}

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5000;

/** A client's view of the container of one outputs volume: finds it, starts it, stays with it. */
export class ContainerClient extends EventEmitter<ClientEvents> {
  private connection: ContainerConnection | undefined;
  private lastStatus: ContainerStatus | undefined;
  private currentLink: Link = 'none';
  private readonly followers: Followers;
  private lastProblem: string | null = null;
  private startUp: StartPhases | undefined;
  /** Of a container whose volumes are elsewhere. */
  private readonly remote: RemoteSide | undefined;
  private disposed = false;
  private wakeRetry: (() => void) | undefined;
  /** What opens or gives up a connection happens one after the other. */
  private turn: Promise<unknown> = Promise.resolve();

  /** @param name who this client is: "VS Code", "command line" */
  constructor(
    readonly target: Target,
    readonly volume: OutputsVolume,
    private readonly name: string,
    private readonly heartbeatMs?: number,
  ) {
    super();
    this.followers = new Followers(volume, () => this.connection);
    this.remote =
      target.kind === 'local' ? undefined : new RemoteSide(this, (signal) => this.endpoint(signal));
  }

  get link(): Link {
    return this.currentLink;
  }

  /** Status of the container; undefined while there is none. */
  get status(): ContainerStatus | undefined {
    return this.lastStatus;
  }

  /** Why the container cannot train, or could not when it ended; null if nothing is known to be wrong. */
  get problem(): string | null {
    return this.lastProblem;
  }

  /** How far the start of a container is that goes on, or how the last one went; undefined before the first. */
  get starting(): Pick<StartPhases, 'phases' | 'present'> | undefined {
    return this.startUp;
  }

  /**
   * Connects to the container that lives already.
   * @returns false if there is none; runs that one left behind when it died are settled then
   */
  async connect(): Promise<boolean> {
    return this.inTurn(async () => {
      if (this.connection !== undefined) {
        return true;
      }
      const endpoint = await this.target.find();
      if (endpoint === undefined) {
        await this.target.settle();
        await this.remote?.caughtUp();
        return false;
      }
      await this.open(endpoint);
      return !this.disposed;
    });
  }

  /**
   * Connects to the living container, or starts one.
   * @throws ContainerStartError
   */
  async start(options: ContainerOptions): Promise<ContainerStatus> {
    const phases = this.phasesFrom(performance.now());
    const status = await this.startIn(phases, options);
    await this.remote?.sendCode(options.hint.program, phases);
    return status;
  }

  private phasesFrom(originMs: number): StartPhases {
    return new StartPhases(
      originMs,
      () => this.emit('change'),
      (text) => this.emit('log', text),
    );
  }

  private async startIn(phases: StartPhases, options: ContainerOptions): Promise<ContainerStatus> {
    this.lastProblem = null;
    this.startUp = phases;
    return this.explained(async () => {
      for (let isFresh = false; ; isFresh = true) {
        await this.inTurn(async () => {
          if (this.connection === undefined) {
            const endpoint = await this.target.start(
              (await this.remote?.optionsThere(options)) ?? options,
              phases,
            );
            // On this machine it is there at once.
            const connect = (): Promise<void> => this.open(endpoint);
            await (this.target.kind === 'local' ? connect() : phases.phase('connect', connect));
          }
        });
        const status = await this.request('status', {});
        this.update(status);
        if (status.state !== 'cooling') {
          await this.request('configure', options.settings);
          return status;
        }
        if (isFresh && status.problem !== null) {
          throw new ContainerStartError(status.problem);
        }
        // One that is being let go takes no run; the next one will, unless it has the same problem.
        await this.gone();
      }
    });
  }

  /**
   * Starts a run, in a new container if there is none.
   * @returns the run's id
   * @throws Error if it was refused; then there is no run
   */
  async train(
    recipe: string,
    params: ParameterValues,
    options: ContainerOptions,
    request: Pick<MethodParams<'train'>, 'whenBusy' | 'resumeRun' | 'sweep'> = {},
  ): Promise<string> {
    const askedAt = performance.now();
    const started = this.phasesFrom(askedAt);
    const { program } = options.hint;
    const there = program === undefined ? {} : { program: this.remote?.programThere(program) ?? program };
    for (;;) {
      await this.startIn(started, options);
      await this.remote?.sendCode(program, started);
      const sent = (await this.remote?.send(recipe, params, program, started)) ?? {};
      const waitedMs = performance.now() - askedAt;
      const phases = [...started.phases];
      try {
        return await this.explained(
          async () =>
            (await this.request('train', { recipe, params, waitedMs, phases, sent, ...there, ...request }))
              .runId,
        );
      } catch (error) {
        // Its scaledown window may have passed at this very moment.
        if (!(isBusy(error) && this.lastStatus?.state === 'cooling')) {
          throw error;
        }
        await this.gone();
      }
    }
  }

  /**
   * Starts a run that begins from the last checkpoint of one that has ended, with its recipe and parameters.
   * @returns the new run's id
   * @throws Error if it was refused; then there is no run
   */
  async resume(
    runId: string,
    options: ContainerOptions,
    request: Pick<MethodParams<'train'>, 'whenBusy'> = {},
  ): Promise<string> {
    const dir = await this.volume.findRun(runId);
    const record = dir === undefined ? undefined : await this.volume.readRecord(dir);
    if (record === undefined) {
      throw new Error(`The outputs volume has no run ${runId} that this version can go on with.`);
    }
    const { recipe, params } = record;
    return this.train(recipe, params, options, { ...request, resumeRun: runId });
  }

  async stop(runId: string, kill: boolean): Promise<void> {
    await this.request('stop', { runId, kill });
  }

  /** Lets the container go and returns once it is gone. */
  async cool(): Promise<void> {
    if (this.connection !== undefined) {
      const gone = this.gone();
      await this.request('cool', {});
      await gone;
    }
  }

  /** Ends the container without mercy and returns once it is gone, and the link to it too. */
  async kill(): Promise<void> {
    const gone = this.gone();
    await this.target.kill();
    // The link may take a while to notice, and what is asked next is not for a dead container.
    this.connection?.close();
    await gone;
    // A link that broke while the process was still going has found it alive, and tries again later.
    this.wakeRetry?.();
    await this.reconnected();
  }

  /**
   * Makes a snapshot of the warm container, from which its next start is restored; it goes on meanwhile.
   * @throws Error if that cannot be, or not now
   */
  async snapshot(): Promise<void> {
    const { target } = this;
    await this.inTurn(async () => {
      const { connection } = this;
      if (connection === undefined) {
        throw new Error('There is no warm container.');
      }
      if (target.snapshot === undefined) {
        throw noSnapshots(target.name);
      }
      await target.snapshot(async (freezeId) => {
        const closed = once(connection, 'close');
        await connection.request('freeze', { freezeId });
        await closed;
      });
    });
    await this.reconnected();
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
    return this.followers.follow(runId, afterSeq, listener);
  }

  dispose(): void {
    this.disposed = true;
    this.remote?.dispose();
    this.followers.clear();
    this.wakeRetry?.();
    this.connection?.close();
    this.removeAllListeners();
    this.target.dispose().catch(() => undefined);
  }

  /** To be called in turn. */
  private async open(endpoint: Endpoint): Promise<void> {
    const { connection, status } = await ContainerConnection.open(endpoint, this.name, this.heartbeatMs);
    if (this.disposed) {
      connection.close();
      return;
    }
    this.connection = connection;
    this.currentLink = 'connected';
    connection.on('status', (next) => this.update(next));
    connection.on('run', (record) => {
      const tell = (): boolean => this.emit('run', record);
      if (this.remote === undefined) {
        tell();
      } else {
        this.remote.told(record, tell);
      }
    });
    connection.on('event', (event) => this.followers.deliver(event));
    connection.once('close', (_reason, graceful) => void this.linkEnded(connection, graceful));
    this.update(status);
    void this.followers.catchUpAll();
    this.remote?.opened(connection);
    connection.listen();
  }

  /**
   * Brings a file of a run that is elsewhere into the run's folder here, whole and verified. Does nothing on this machine.
   * @returns the file's path here
   * @throws Error if it is not here and cannot be fetched, e.g. since there is no container
   */
  async fetch(runId: string, file: string, options: DownloadOptions = {}): Promise<string> {
    const dir = await this.volume.findRun(runId);
    if (dir === undefined) {
      throw new Error(`There is no run ${runId}.`);
    }
    const path = await confine(dir, file);
    await this.remote?.fetch(runId, file, path, options);
    return path;
  }

  /** Ends the sending of data that goes on; what has arrived stays there. @returns whether there was one */
  cancelSending(): boolean {
    return this.remote?.cancelSending() ?? false;
  }

  /** Resolves once this side has what it has heard of runs. */
  async mirrored(): Promise<void> {
    await this.remote?.mirrored();
  }

  /** Resolves once this side has every run of the container that has ended, whole, and what it has heard of others. */
  async caughtUp(): Promise<void> {
    await this.remote?.endedRunsMirrored();
  }

  private async reconnected(signal?: AbortSignal): Promise<void> {
    while (this.currentLink === 'reconnecting' && !this.disposed) {
      await once(this, 'change', signal === undefined ? {} : { signal });
    }
  }

  /** The container's address, once the link is there. */
  private async endpoint(signal?: AbortSignal): Promise<Endpoint> {
    await this.reconnected(signal);
    if (this.connection === undefined) {
      throw new Error('There is no container to ask for files. Warm it up first.');
    }
    return this.connection.endpoint;
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.turn.then(work);
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves once the present connection has ended and what that means has been found out. */
  private async gone(): Promise<void> {
    const { connection } = this;
    if (connection !== undefined) {
      await new Promise<void>((resolve) => connection.once('close', () => resolve()));
    }
    await this.inTurn(() => Promise.resolve());
  }

  /** A container that ends because of a problem tells it; that says more than that the link is gone. */
  private async explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const isEnding = this.connection === undefined || this.lastStatus?.state === 'cooling';
      throw isEnding && this.lastProblem !== null ? new Error(this.lastProblem, { cause: error }) : error;
    }
  }

  private update(status: ContainerStatus | undefined): void {
    this.lastStatus = status;
    this.lastProblem = status?.problem ?? this.lastProblem;
    this.emit('change');
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
      await this.inTurn(() => this.containerGone());
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
        await this.inTurn(async () => {
          if (this.connection !== undefined) {
            return;
          }
          const endpoint = await this.target.find();
          if (endpoint === undefined) {
            await this.containerGone();
          } else {
            await this.open(endpoint);
          }
        });
        return;
      } catch {
        // Between half and the whole of the delay, so that several windows do not come back in step.
        await this.pause(delayMs * (0.5 + Math.random() / 2));
      }
    }
  }

  /** To be called in turn. */
  private async containerGone(): Promise<void> {
    // What cannot be settled now will be by the next client that looks.
    const interrupted = await this.target.settle().catch(() => []);
    await this.remote?.caughtUp().catch(() => undefined);
    await this.followers.catchUpAll();
    this.currentLink = 'none';
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

function isBusy(error: unknown): boolean {
  return error instanceof JSONRPCErrorException && error.code === ErrorCode.busy;
}
