import { JSONRPCErrorException } from 'json-rpc-2.0';
import type { ContainerClient } from '../client/containerClient';
import type { RunEvent } from '../protocol/events';
import type { RunRecord, RunResult } from '../protocol/run';
import { isResumable } from '../protocol/run';
import type { SweepRecord, Trial } from '../protocol/sweep';
import { isSweepFinal, isTrialFinal } from '../protocol/sweep';
import type { ContainerOptions } from '../targets/target';
import { ContainerStartError } from '../targets/target';
import type { OutputsVolume } from '../volume/outputsVolume';
import type { StopRequest, SweepFiles } from '../volume/sweepFiles';
import { SweepJournal } from './sweepJournal';
import { afterEvent } from './trialProgress';

const STOP_POLL_MS = 200;
/** How often a training is begun again whose container died. */
const MAX_ATTEMPTS = 3;
/** How often a container is asked again that did not answer. */
const MAX_ASKED = 3;
const CONTAINER_DIED = 'container_died';

export interface SweepDriverDeps {
  files: SweepFiles;
  volume: OutputsVolume;
  /** A client of that container of the target. */
  openClient: (slot: number) => ContainerClient;
}

/** A container of the pool, and the trial that it has. */
interface Worker {
  slot: number;
  client: ContainerClient;
  runId: string | undefined;
}

/**
 * Trains a sweep's trials on a pool of containers. Everything that it decides is stored before it is done: whoever
 * drives the sweep after this process has died goes on where it was, and trains nothing twice.
 */
export class SweepDriver {
  private readonly journal: SweepJournal;
  /** Trials that this driver has given to a worker. */
  private readonly taken = new Set<number>();
  private readonly workers = new Set<Worker>();
  private stopRequest: StopRequest | undefined;

  constructor(
    private readonly deps: SweepDriverDeps,
    record: SweepRecord,
  ) {
    this.journal = new SweepJournal(deps.files, record);
  }

  /** Resolves once every trial has ended. */
  async run(): Promise<SweepRecord> {
    const { journal } = this;
    if (isSweepFinal(journal.record)) {
      return journal.record;
    }
    await this.lookForStop();
    const poll = setInterval(() => {
      this.lookForStop().catch((error: unknown) => console.error(error));
    }, STOP_POLL_MS);
    try {
      const { jobs, trials } = journal.record;
      let pool = Array.from({ length: Math.min(jobs, trials.length) }, (_, slot) => slot);
      // What a container that cannot be had has left goes to the others.
      while (pool.length > 0 && !journal.record.trials.every(isTrialFinal)) {
        const well = await Promise.all(pool.map((slot) => this.work(slot)));
        pool = pool.filter((_, place) => well[place] === true);
      }
    } finally {
      clearInterval(poll);
    }
    await this.giveUpRest();
    const state = this.stopRequest === undefined ? 'completed' : 'stopped';
    await journal.update({ state, endedAt: new Date().toISOString() });
    return journal.record;
  }

  /** @returns whether the container could be had */
  private async work(slot: number): Promise<boolean> {
    let worker: Worker | undefined;
    try {
      for (let index = this.next(slot); index !== undefined; index = this.next(slot)) {
        worker ??= { slot, client: this.deps.openClient(slot), runId: undefined };
        this.workers.add(worker);
        await this.trainToEnd(worker, index);
      }
      // Nobody else has a use for those beside the one that is always there.
      if (slot > 0 && worker !== undefined) {
        await worker.client.cool().catch(() => undefined);
      }
      return true;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      console.error(error);
      await this.journal.update({ problem });
      return false;
    } finally {
      worker?.client.dispose();
      if (worker !== undefined) {
        this.workers.delete(worker);
      }
    }
  }

  /** The trial that this container had when the last driver died, or else the first that waits. */
  private next(slot: number): number | undefined {
    const { trials } = this.journal.record;
    const isFree = (index: number): boolean => !this.taken.has(index);
    const own = trials.findIndex(
      (trial, index) => isFree(index) && !isTrialFinal(trial) && trial.slot === slot,
    );
    const waiting = trials.findIndex((trial, index) => isFree(index) && trial.state === 'waiting');
    const index = own === -1 ? waiting : own;
    if (index === -1) {
      return undefined;
    }
    this.taken.add(index);
    return index;
  }

  private async trainToEnd(worker: Worker, index: number): Promise<void> {
    const { journal } = this;
    for (;;) {
      const result = await this.train(worker, index);
      worker.runId = undefined;
      const { attempt } = journal.trial(index);
      const died = result?.error?.code === CONTAINER_DIED || result === undefined;
      if (!died || attempt >= MAX_ATTEMPTS || this.stopRequest !== undefined) {
        await journal.decide(index, ended(result));
        return;
      }
      await journal.decide(index, { state: 'starting', attempt: attempt + 1 });
    }
  }

  /** @returns how the run ended; undefined if that cannot be known, since its container died */
  private async train(worker: Worker, index: number): Promise<RunResult | undefined> {
    const { journal } = this;
    const { client, slot } = worker;
    // What a dead container left is marked as such first.
    await client.connect().catch(() => false);
    let runId = await this.knownRun(index);
    if (runId === undefined) {
      const { attempt, startedAt } = journal.trial(index);
      await journal.decide(index, {
        state: 'starting',
        slot,
        attempt: Math.max(1, attempt),
        startedAt: startedAt ?? new Date().toISOString(),
      });
      try {
        runId = await this.ask(client, index);
      } catch (error) {
        if (error instanceof JSONRPCErrorException) {
          return refused(error.message);
        }
        this.taken.delete(index);
        await journal.decide(index, { state: this.stopRequest === undefined ? 'waiting' : 'stopped' });
        throw error;
      }
      await journal.decide(index, { state: 'running', runId });
    }
    worker.runId = runId;
    if (this.stopRequest !== undefined) {
      await this.stop(worker);
    }
    return this.follow(client, index, runId);
  }

  /** The run of the trial's present attempt, if it was begun before. */
  private async knownRun(index: number): Promise<string | undefined> {
    const { state, attempt, runId } = this.journal.trial(index);
    if (state === 'running') {
      return runId;
    }
    if (attempt === 0) {
      return undefined;
    }
    const { sweepId } = this.journal.record;
    const runs = await this.deps.volume.listRuns();
    const found = runs.find(
      ({ record: { sweep } }) =>
        sweep?.sweepId === sweepId && sweep.trial === index && sweep.attempt === attempt,
    )?.record.runId;
    if (found !== undefined) {
      await this.journal.decide(index, { state: 'running', runId: found });
    }
    return found;
  }

  /** Asked again after a dropped link, the container knows that it has been asked already. */
  private async ask(client: ContainerClient, index: number): Promise<string> {
    const { sweepId, recipe, program, params: shared, engine, settings } = this.journal.record;
    const { values, attempt, runId } = this.journal.trial(index);
    const params = { ...shared, ...values };
    const options: ContainerOptions = {
      engine,
      port: 0,
      settings,
      hint: { recipe, params, ...(program === undefined ? {} : { program }) },
    };
    const resumed = runId === undefined ? undefined : await this.recordOf(runId);
    const resumeRun = resumed !== undefined && isResumable(resumed) ? { resumeRun: resumed.runId } : {};
    for (let asked = 1; ; asked += 1) {
      try {
        return await client.train(recipe, params, options, {
          whenBusy: 'queue',
          sweep: { sweepId, trial: index, attempt },
          ...resumeRun,
        });
      } catch (error) {
        const isFinal = error instanceof ContainerStartError || error instanceof JSONRPCErrorException;
        if (isFinal || asked === MAX_ASKED) {
          throw error;
        }
      }
    }
  }

  private async recordOf(runId: string): Promise<RunRecord | undefined> {
    const dir = await this.deps.volume.findRun(runId);
    return dir === undefined ? undefined : this.deps.volume.readRecord(dir);
  }

  /** Resolves with the run's end, or once its container is gone and its log does not tell. */
  private async follow(
    client: ContainerClient,
    index: number,
    runId: string,
  ): Promise<RunResult | undefined> {
    const { journal } = this;
    return new Promise((resolve) => {
      const settle = (result: RunResult | undefined): void => {
        client.off('change', look);
        following.dispose();
        resolve(result);
      };
      const take = (events: readonly RunEvent[]): void => {
        journal.note(index, events.reduce(afterEvent, journal.trial(index)));
        const result = events.find((event) => event.type === 'result');
        if (result !== undefined) {
          // Not before `following` is there.
          queueMicrotask(() => settle(result));
        }
      };
      // The client reads the rest of a run from the volume before it says that the container is gone.
      const look = (): void => {
        if (client.link === 'none') {
          void this.deps.volume
            .readRunEvents(runId, 0)
            .then(take)
            .then(() => settle(undefined));
        }
      };
      const following = client.follow(runId, 0, take);
      client.on('change', look);
      look();
    });
  }

  private async lookForStop(): Promise<void> {
    const request = await this.deps.files.stopRequest(this.journal.record.sweepId);
    if (request === undefined || request === this.stopRequest || this.stopRequest === 'kill') {
      return;
    }
    this.stopRequest = request;
    const trials = this.journal.record.trials.map((trial): Trial =>
      trial.state === 'waiting' ? { ...trial, state: 'stopped' } : trial,
    );
    await this.journal.update({ state: 'stopping', trials });
    await Promise.all([...this.workers].map((worker) => this.stop(worker)));
  }

  private async stop({ client, runId }: Worker): Promise<void> {
    if (runId !== undefined) {
      // One that has just ended is refused; one whose container died is settled.
      await client.stop(runId, this.stopRequest === 'kill').catch(() => undefined);
    }
  }

  /** Trials for which there was no container. */
  private async giveUpRest(): Promise<void> {
    const { record } = this.journal;
    const error = record.problem ?? 'No container could be started.';
    const endedAt = new Date().toISOString();
    const trials = record.trials.map((trial): Trial =>
      isTrialFinal(trial) ? trial : { ...trial, state: 'failed', error, endedAt },
    );
    await this.journal.update({ trials });
  }
}

function ended(result: RunResult | undefined): Partial<Trial> {
  const endedAt = new Date().toISOString();
  return result === undefined
    ? { state: 'failed', endedAt, error: 'The container died, and the log does not say how the run ended.' }
    : {
        state: result.status,
        endedAt,
        ...(result.error === undefined ? {} : { error: result.error.message }),
      };
}

function refused(message: string): RunResult {
  return {
    status: 'failed',
    output: null,
    val_acc: null,
    start: 'warm',
    time_to_first_step_ms: null,
    error: { code: 'parameters', message },
  };
}
