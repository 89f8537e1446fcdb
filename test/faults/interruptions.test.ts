import assert from 'node:assert/strict';
import type { ContainerClient } from '../../src/client/containerClient';
import { Following } from '../container/support/following';
import { Place } from '../container/support/place';
import { settingsWith } from '../container/support/settings';
import { untilTrue } from '../container/support/waiting';
import { Chance } from './support/chance';
import type { Numbers } from './support/comparison';
import { epochsOf, numbersOf, storedEvents } from './support/comparison';
import { figure } from './support/figures';

const STOPS = 5;
const KILLS = 4;
const EPOCHS = 16;

for (const workers of [0, 2]) {
  describe(`a run with ${workers} data-parallel workers`, () => {
    // Epochs of several steps, so that most interruptions fall into the middle of one.
    const params = { epochs: EPOCHS, seed: 11, batch_size: 2, num_workers: workers };
    let place: Place;
    let client: ContainerClient;
    let chance: Chance;
    let undisturbed: Numbers;
    before(async () => {
      chance = new Chance(`interruptions, ${workers} workers`);
      place = await Place.make();
      client = place.client();
      const run = new Following(client, await train());
      await run.result();
      undisturbed = await numbersOf(await place.runDir(run.runId));
    });
    after(() => place.dispose());

    function options() {
      const hint = { recipe: 'classifier', params: place.params(params) };
      return place.options({ settings: settingsWith({ maxRetries: 100 }), hint });
    }

    function train(): Promise<string> {
      return client.train('classifier', place.params(params), options());
    }

    /** Resolves at a random step, or once the run has ended. */
    async function randomStep(run: Following): Promise<void> {
      const goal = run.events.length + chance.between(1, 20);
      await untilTrue(() => run.events.length >= goal || run.events.at(-1)?.type === 'result');
    }

    it('that is stopped and gone on with, again and again, ends with the same numbers', async () => {
      let stops = 0;
      let midEpoch = 0;
      let runId = await train();
      for (;;) {
        const run = new Following(client, runId);
        if (stops < STOPS) {
          await randomStep(run);
          await client.stop(runId, false).catch(() => undefined);
        }
        const { status, error } = await run.result();
        const stored = await storedEvents(await place.runDir(runId));
        assert.deepEqual(stored, run.events);
        midEpoch += run.all('resumed').filter(({ step }) => step > 0).length;
        for (const [epoch, row] of epochsOf(stored)) {
          assert.deepEqual(row, undisturbed.epochs.get(epoch));
        }
        run.dispose();
        if (status === 'completed') {
          assert.deepEqual((await numbersOf(await place.runDir(runId))).last, undisturbed.last);
          break;
        }
        assert.equal(status, 'stopped', error?.message);
        stops += 1;
        const record = await place.volume.readRecord(await place.runDir(runId));
        const canResume = record?.checkpoints.some(({ kind }) => kind === 'last') === true;
        runId = canResume ? await client.resume(runId, options()) : await train();
      }
      figure(`stopped and resumed, ${workers} workers`, `${stops} times, ${midEpoch} in mid-epoch`);
    });

    it('whose trainer is killed ends with the same numbers', async () => {
      let kills = 0;
      const run = new Following(client, await train());
      while (kills < KILLS) {
        await randomStep(run);
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
      assert.deepEqual(await numbersOf(await place.runDir(run.runId)), undisturbed);
      figure(`trainer killed, ${workers} workers`, `${kills} times`);
    });
  });
}
