import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerClient } from '../../src/client/containerClient';
import type { RunEvent } from '../../src/protocol/events';
import { Following } from '../container/support/following';
import { Place } from '../container/support/place';
import { untilCold, untilTrue } from '../container/support/waiting';
import { Chance } from './support/chance';
import type { Numbers } from './support/comparison';
import { epochsOf, numbersOf, storedEvents } from './support/comparison';
import { figure } from './support/figures';
import { linesOf } from './support/lines';

const TRAINER_KILLS = 14;
const SUPERVISOR_KILLS = 10;
const WATCHER_KILLS = 10;
const EPOCHS = 40;
const PARAMS = { epochs: EPOCHS, seed: 7 };
const RETRIES = { maxRetries: 100, backoffCoefficient: 1, initialDelayMs: 1, maxDelayMs: 1 };
const SETTINGS = { scaledownWindowMs: 120_000, keepDates: 5, retries: RETRIES };

describe('kill -9 at random moments', () => {
  let place: Place;
  let client: ContainerClient;
  let chance: Chance;
  let undisturbed: Numbers;
  before(async () => {
    chance = new Chance('kills');
    place = await Place.make();
    client = place.client();
    const run = new Following(client, await train());
    await run.result();
    undisturbed = await numbersOf(await place.runDir(run.runId));
    assert.equal(undisturbed.epochs.size, EPOCHS);
  });
  after(() => place.dispose());

  function options() {
    const hint = { recipe: 'classifier', params: place.params(PARAMS) };
    return place.options({ settings: SETTINGS, hint });
  }

  function train(): Promise<string> {
    return client.train('classifier', place.params(PARAMS), options());
  }

  /** Resolves at a random moment of the run, its start-up included, or once it has ended. */
  async function randomMoment(run: Following, mostEvents: number): Promise<void> {
    if (chance.between(1, 4) === 1) {
      await delay(chance.between(0, 400));
      return;
    }
    const goal = run.events.length + chance.between(1, mostEvents);
    const ended = (event: RunEvent | undefined): boolean => event?.type === 'result';
    await untilTrue(() => run.events.length >= goal || ended(run.events.at(-1)));
    await delay(chance.between(0, 20));
  }

  it('of the trainer: the run goes on and ends with the same numbers', async () => {
    let kills = 0;
    let retries = 0;
    let fromCheckpoint = 0;
    let runs = 0;
    while (kills < TRAINER_KILLS) {
      const run = new Following(client, await train());
      runs += 1;
      while (kills < TRAINER_KILLS) {
        await randomMoment(run, 25);
        const { trainerPid, run: present } = await client.request('status', {});
        if (present === null) {
          break;
        }
        if (trainerPid !== null) {
          process.kill(trainerPid, 'SIGKILL');
          kills += 1;
          await untilTrue(async () => (await client.request('status', {})).trainerPid !== trainerPid);
        }
      }
      await run.result();
      const dir = await place.runDir(run.runId);
      assert.deepEqual(await storedEvents(dir), run.events);
      retries += run.all('state').filter(({ state }) => state === 'retrying').length;
      fromCheckpoint += run.all('resumed').filter(({ from }) => from !== null).length;
      assert.deepEqual(await numbersOf(dir), undisturbed);
      run.dispose();
    }
    figure(
      'kill -9 of the trainer',
      `${kills} in ${runs} runs: ${retries} retries, ${fromCheckpoint} went on from a checkpoint`,
    );
  });

  it('of the supervisor: the run is settled, and one that goes on with it ends with the same numbers', async () => {
    let kills = 0;
    let resumed = 0;
    const seen: Numbers['epochs'][] = [];
    let runId = await train();
    for (;;) {
      const run = new Following(client, runId);
      if (kills < SUPERVISOR_KILLS) {
        await randomMoment(run, 70);
        const { pid } = client.status ?? {};
        if (pid !== undefined && run.events.at(-1)?.type !== 'result') {
          process.kill(pid, 'SIGKILL');
          kills += 1;
          await untilCold(client);
        }
      }
      const { status, error } = await run.result();
      const dir = await place.runDir(runId);
      const stored = await storedEvents(dir);
      assert.deepEqual(stored, run.events);
      seen.push(epochsOf(stored));
      run.dispose();
      if (status === 'completed' && kills === SUPERVISOR_KILLS) {
        const { last, valAcc } = await numbersOf(dir);
        assert.deepEqual(last, undisturbed.last);
        assert.equal(valAcc, undisturbed.valAcc);
        break;
      }
      assert.equal(error?.code ?? 'container_died', 'container_died');
      const record = await place.volume.readRecord(dir);
      assert.ok(record);
      const canResume = status === 'failed' && record.checkpoints.some(({ kind }) => kind === 'last');
      resumed += canResume ? 1 : 0;
      runId = canResume ? await client.resume(runId, options()) : await train();
    }
    for (const [number, row] of seen.flatMap((epochs) => [...epochs])) {
      assert.deepEqual(row, undisturbed.epochs.get(number));
    }
    figure('kill -9 of the supervisor', `${kills}, ${resumed} times resumed`);
  });

  it('of a process that watches: the run does not notice, and what it saw was right', async () => {
    let lines = 0;
    await client.start(options());
    for (let kills = 0; kills < WATCHER_KILLS; kills += 1) {
      const known = new Set((await place.volume.listRuns()).map(({ record }) => record.runId));
      const watcher = spawn(
        process.execPath,
        [
          join(place.bundleDir, 'cli.js'),
          ...['train', '--json', '--outputs-dir', place.outputsDir, '--data-volume', place.dataDir],
          ...Object.entries(place.params(PARAMS)).flatMap(([name, value]) => [
            `--${name.replaceAll('_', '-')}`,
            String(value),
          ]),
        ],
        { stdio: ['ignore', 'pipe', 'ignore'] },
      );
      const seen = linesOf(watcher);
      const exit = once(watcher, 'exit');
      const goal = chance.between(1, 60);
      await untilTrue(() => seen.length >= goal);
      watcher.kill('SIGKILL');
      await exit;
      const listed = await place.volume.listRuns();
      const runId = listed.find(({ record }) => !known.has(record.runId))?.record.runId ?? '';
      const run = new Following(client, runId);
      await run.result();
      const dir = await place.runDir(runId);
      const stored = await storedEvents(dir);
      assert.deepEqual(stored, run.events);
      const whole = seen.slice(0, goal).map((line) => JSON.parse(line) as unknown);
      assert.deepEqual(whole, stored.slice(0, goal));
      lines += goal;
      assert.deepEqual(await numbersOf(dir), undisturbed);
      run.dispose();
    }
    figure('kill -9 of a watching process', `${WATCHER_KILLS}, which had seen ${lines} events`);
  });
});
