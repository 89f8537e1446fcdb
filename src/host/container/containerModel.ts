import { EventEmitter } from 'node:events';
import type { WhenBusy } from '../../protocol/rpc';
import type { ContainerClient } from '../../client/containerClient';
import { SendingCancelled } from '../../client/remoteSide';
import type { ContainerStatus } from '../../protocol/container';
import type { RunEvent } from '../../protocol/events';
import type { ContainerView } from '../../protocol/panel';
import type { ParameterValues } from '../../protocol/parameters';
import type { ContainerSettings } from '../../protocol/rpc';
import type { RunRecord } from '../../protocol/run';
import type { ContainerOptions } from '../../targets/target';
import type { DownloadOptions } from '../../transfer/download';
import type { SendProgress } from '../../transfer/sendFolder';
import type { Disposable } from '../disposables';
import { errorCodeOf, messageOf } from './rpcError';

interface ContainerModelEvents {
  /** `view` or `status` have changed. */
  change: [];
  /** A run is new or its record has changed. */
  run: [RunRecord];
  /** The container died while these runs were in it; they are marked as failed. */
  died: [runIds: string[]];
  /** How far the sending of data is; undefined once it has ended. */
  sending: [SendProgress | undefined];
}

export interface ContainerModelDeps {
  /** @throws Error in words for the user, e.g. if a folder cannot be made */
  openClient: () => ContainerClient;
  /** Whether there is anything to find; must change nothing. */
  mayHaveContainer: () => Promise<boolean>;
  targetName: () => string;
  /** The user asks for a container, and may be asked in turn. */
  wanted?: () => void;
  now: () => number;
}

const RECONNECT_PATIENCE_MS = 10_000;

/** The container as this window knows it. Nothing is opened before the first `find` or start. */
export class ContainerModel extends EventEmitter<ContainerModelEvents> {
  private client: ContainerClient | undefined;
  private starting = false;
  private problem: string | null = null;
  private statusAt = 0;
  private queue: Promise<unknown> = Promise.resolve();
  private readonly stopRequested = new Set<string>();

  constructor(private readonly deps: ContainerModelDeps) {
    super();
  }

  get status(): ContainerStatus | undefined {
    return this.client?.status;
  }

  get runningRunId(): string | undefined {
    return this.status?.run?.runId;
  }

  get isStopping(): boolean {
    const runId = this.runningRunId;
    return runId !== undefined && this.stopRequested.has(runId);
  }

  get view(): ContainerView {
    const { status } = this;
    const idleMs = status?.idleRemainingMs ?? null;
    return {
      state: status?.state ?? (this.starting ? 'warming' : 'cold'),
      link: this.client?.link ?? 'none',
      target: this.deps.targetName(),
      engine: status?.engine ?? '',
      device: status?.device ?? '',
      deviceFacts: status?.deviceFacts ?? null,
      heldMemory: status?.heldMemory ?? null,
      restartNeeded: status?.restartNeeded ?? null,
      enterPhases: status?.enter.phases ?? [],
      warmUpStalled: status?.enter.stalled === true,
      stalledRun: status?.run?.stalled === true ? status.run.runId : null,
      queued: status?.queue.length ?? 0,
      idleRemainingMs: idleMs === null ? null : Math.max(0, idleMs - (this.deps.now() - this.statusAt)),
      ...this.usage,
      problem: this.problem,
    };
  }

  /** Up to now: the container tells of it only when something changes. */
  private get usage(): Pick<ContainerView, 'usage' | 'pricePerHour' | 'letGoInMs'> {
    const { status } = this;
    if (status?.usage === undefined) {
      return {};
    }
    const { usage, pricePerHour, leftWarm } = status;
    const sinceMs = this.deps.now() - this.statusAt;
    return {
      usage: {
        upMs: usage.upMs + sinceMs,
        warmMs: usage.warmMs === 0 ? 0 : usage.warmMs + sinceMs,
        trainingMs: usage.trainingMs + (status.state === 'training' ? sinceMs : 0),
      },
      pricePerHour,
      letGoInMs:
        leftWarm === undefined || leftWarm === null ? null : Math.max(0, leftWarm.letGoInMs - sinceMs),
    };
  }

  /** The answer to a container that was left warm for too long. */
  async keepWarm(): Promise<void> {
    await this.requireClient().request('keepWarm', {});
  }

  /**
   * Connects to a container that lives already; never starts one.
   * @returns false if there is none
   * @throws Error if there is one that cannot be talked to; `view.problem` says why as well
   */
  async find(): Promise<boolean> {
    return this.exclusively(async () => {
      if (this.status !== undefined) {
        return true;
      }
      try {
        if (this.client === undefined && !(await this.deps.mayHaveContainer())) {
          return false;
        }
        return await this.ensureClient().connect();
      } catch (error) {
        this.fail(error);
        throw error;
      }
    });
  }

  /** @throws Error in words for the user */
  async warmUp(options: ContainerOptions): Promise<void> {
    await this.start((client) => client.start(options));
  }

  /**
   * Starts a run, in a new container if there is none.
   * @returns the run's id
   * @throws Error if it was refused; see `errorCodeOf`
   */
  async train(
    recipe: string,
    params: ParameterValues,
    options: ContainerOptions,
    more: { whenBusy?: WhenBusy } = {},
  ): Promise<string> {
    return this.start((client) => client.train(recipe, params, options, more));
  }

  /** A new run that goes on with that one from its last checkpoint. @returns the new run's id */
  async resume(
    runId: string,
    options: ContainerOptions,
    more: { whenBusy?: WhenBusy } = {},
  ): Promise<string> {
    return this.start((client) => client.resume(runId, options, more));
  }

  /** Ends the run after its step; asked again, or with `now`, without waiting for it. */
  async stop(runId: string, now = false): Promise<void> {
    const kill = now || this.stopRequested.has(runId);
    this.stopRequested.add(runId);
    this.emit('change');
    try {
      await this.requireClient().stop(runId, kill);
    } catch (error) {
      this.stopRequested.delete(runId);
      this.emit('change');
      throw error;
    }
  }

  /** Lets the container go. */
  async cool(): Promise<void> {
    if (await this.find()) {
      await this.requireClient().cool();
    }
  }

  /** See ContainerClient.snapshot. @throws Error if that cannot be */
  async snapshot(): Promise<void> {
    await this.find();
    await this.exclusively(() => this.requireClient().snapshot());
  }

  /** Ends the container without mercy, e.g. one of another protocol version. The next start makes a new one. */
  async kill(): Promise<void> {
    await this.exclusively(async () => {
      await this.ensureClient().kill();
    });
  }

  async setPinned(runId: string, pinned: boolean): Promise<RunRecord> {
    const client = await this.exclusively(() => Promise.resolve(this.ensureClient()));
    if (await client.connect()) {
      return client.request('pin', { runId, pinned });
    }
    // No container owns the volume now, so that nobody else writes the record.
    const dir = await client.volume.findRun(runId);
    const record = dir === undefined ? undefined : await client.volume.readRecord(dir);
    if (dir === undefined || record === undefined) {
      throw new Error(`The outputs folder has no run ${runId}.`);
    }
    const changed = { ...record, pinned };
    await client.volume.writeRecord(dir, changed);
    this.emit('run', changed);
    return changed;
  }

  /** Tells a living container of changed settings; the next one is started with them anyway. */
  async configure(settings: ContainerSettings): Promise<void> {
    if (this.client?.link === 'connected') {
      await this.client.request('configure', settings);
    }
  }

  /** See ContainerClient.follow. @returns undefined while nothing was ever opened */
  follow(runId: string, afterSeq: number, listener: (events: RunEvent[]) => void): Disposable | undefined {
    return this.client?.follow(runId, afterSeq, listener);
  }

  /** Whether the volumes are on another machine. */
  get isRemote(): boolean {
    return this.client !== undefined && this.client.target.kind !== 'local';
  }

  /** See ContainerClient.fetch. */
  async fetch(runId: string, file: string, options: DownloadOptions = {}): Promise<void> {
    await this.find();
    await this.requireClient().fetch(runId, file, options);
  }

  /** Ends the sending of data that goes on: the training that waits for it does not begin. */
  cancelSending(): void {
    this.client?.cancelSending();
  }

  /** Resolves once no run is in the container. */
  async idle(): Promise<void> {
    while (this.runningRunId !== undefined) {
      await this.nextChange();
    }
  }

  /** Leaves the container to itself, e.g. since the outputs folder is another one now. */
  close(): void {
    this.client?.dispose();
    this.client = undefined;
    this.problem = null;
    this.stopRequested.clear();
    this.emit('change');
  }

  private async start<T>(work: (client: ContainerClient) => Promise<T>): Promise<T> {
    return this.exclusively(async () => {
      this.starting = true;
      this.deps.wanted?.();
      this.problem = null;
      this.emit('change');
      try {
        const client = this.ensureClient();
        await this.reconnected(client);
        return await work(client);
      } catch (error) {
        // A container that answers is well, whatever it refused or the user has broken off.
        const isWell = errorCodeOf(error) !== undefined || error instanceof SendingCancelled;
        if (this.status === undefined || !isWell) {
          this.fail(error);
        }
        throw error;
      } finally {
        this.starting = false;
        this.emit('change');
      }
    });
  }

  /** Two that open at the same time would open two connections. */
  private async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.queue.then(work, work);
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  private async reconnected(client: ContainerClient): Promise<void> {
    const deadline = this.deps.now() + RECONNECT_PATIENCE_MS;
    while (client.link === 'reconnecting' && this.deps.now() < deadline) {
      await this.nextChange(RECONNECT_PATIENCE_MS);
    }
  }

  private async nextChange(limitMs?: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = limitMs === undefined ? undefined : setTimeout(done, limitMs);
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
      this.once('change', done);
    });
  }

  private requireClient(): ContainerClient {
    if (this.client === undefined) {
      throw new Error('There is no warm container.');
    }
    return this.client;
  }

  private ensureClient(): ContainerClient {
    if (this.client === undefined) {
      const client = this.deps.openClient();
      client.on('change', () => this.statusChanged(client));
      client.on('run', (record) => this.emit('run', record));
      client.on('died', (runIds) => this.emit('died', runIds));
      client.on('sending', (progress) => this.emit('sending', progress));
      this.client = client;
    }
    return this.client;
  }

  private statusChanged({ status }: ContainerClient): void {
    this.statusAt = this.deps.now();
    if (status !== undefined) {
      this.problem = status.problem;
    }
    for (const runId of this.stopRequested) {
      if (status?.run?.runId !== runId) {
        this.stopRequested.delete(runId);
      }
    }
    this.emit('change');
  }

  private fail(error: unknown): void {
    this.problem = messageOf(error);
    this.emit('change');
  }
}
