import assert from 'node:assert/strict';
import { join } from 'node:path';
import { isTrialFinal } from '../../src/protocol/sweep';
import { livingContainers } from '../../src/targets/local/livingContainers';
import { LONG, Place } from './support/place';
import { SweepInPlace, killContainers } from './support/sweeps';
import { endOf, untilTrue } from './support/waiting';

const RATES = { name: 'lr', values: [0.001, 0.0005] };
const SIZES = { name: 'batch_size', values: [4, 8] };

describe('a sweep', () => {
  let place: Place;
  let sweep: SweepInPlace | undefined;
  beforeEach(async () => {
    place = await Place.make();
  });
  afterEach(async () => {
    if (sweep !== undefined && (await sweep.record()).endedAt === undefined) {
      await sweep.killDriver();
    }
    sweep = undefined;
    await killContainers(place);
    await place.dispose();
  });

  it('trains every combination once, on two containers, and lets the second one go', async () => {
    sweep = await SweepInPlace.begin(place, [RATES, SIZES], { params: { epochs: 2 } });
    const { state, trials } = await sweep.ended();
    assert.equal(state, 'completed');
    assert.deepEqual(
      trials.map(({ values }) => values),
      [
        { lr: 0.001, batch_size: 4 },
        { lr: 0.001, batch_size: 8 },
        { lr: 0.0005, batch_size: 4 },
        { lr: 0.0005, batch_size: 8 },
      ],
    );
    const runs = await sweep.runs();
    assert.equal(runs.length, 4);
    assert.equal(new Set(runs.map(({ containerId }) => containerId)).size, 2);
    for (const [index, trial] of trials.entries()) {
      assert.equal(trial.state, 'completed');
      assert.equal(trial.curve.length, 2);
      assert.equal(trial.best, Math.max(...trial.curve));
      const run = runs.find(({ runId }) => runId === trial.runId);
      assert.deepEqual(run?.sweep, { sweepId: sweep.sweepId, trial: index, attempt: 1 });
      assert.equal(run.params.lr, trial.values.lr);
      assert.equal(run.params.batch_size, trial.values.batch_size);
    }
    const living = await livingContainers(place.outputsDir);
    assert.equal(living.length, 1);
    assert.ok(await place.client().connect());
  });

  it('goes on when one training fails', async () => {
    const folders = { name: 'data_dir', values: [join(place.root, 'nothing here'), place.images] };
    sweep = await SweepInPlace.begin(place, [folders], { jobs: 1 });
    const { state, trials } = await sweep.ended();
    assert.equal(state, 'completed');
    assert.deepEqual(
      trials.map((trial) => trial.state),
      ['failed', 'completed'],
    );
    assert.match(trials[0]?.error ?? '', /nothing here/);
  });

  it('goes on after its driver was killed, and trains nothing twice', async () => {
    sweep = await SweepInPlace.begin(place, [{ name: 'lr', values: [0.001, 0.0009, 0.0008, 0.0007] }], {
      params: { epochs: 6 },
    });
    for (let kills = 1; kills <= 2; kills += 1) {
      await sweep.when(({ trials }) => trials.filter(({ runId }) => runId !== undefined).length > kills);
      await sweep.killDriver();
      // Two windows at once.
      await Promise.all([sweep.drive(), sweep.drive()]);
    }
    const { trials } = await sweep.ended();
    const runs = await sweep.runs();
    assert.deepEqual(
      trials.map(({ state, curve }) => [state, curve.length]),
      trials.map(() => ['completed', 6]),
    );
    assert.deepEqual(runs.map(({ sweep: place }) => place?.trial).sort(), [0, 1, 2, 3]);
  });

  it('goes on with a training whose container was killed, and the other one is left alone', async () => {
    sweep = await SweepInPlace.begin(place, [{ name: 'seed', values: [1, 2] }], { params: LONG });
    const { trials } = await sweep.when((record) => record.trials.every(({ epoch }) => epoch >= 3));
    const killed = trials.findIndex(({ slot }) => slot === 1);
    const before = (await sweep.runs()).find(({ runId }) => runId === trials[killed]?.runId);
    const container = (await livingContainers(place.outputsDir)).find(
      ({ containerId }) => containerId === before?.containerId,
    );
    assert.ok(container);
    const gone = endOf(container.pid);
    process.kill(container.pid, 'SIGKILL');
    await gone();
    const end = await sweep.when(
      ({ trials: now }) => now[killed]?.state === 'running' && now[killed].attempt === 2,
    );
    assert.deepEqual(
      end.trials.map(({ state, attempt }) => [state, attempt]),
      end.trials.map((_, index) => ['running', index === killed ? 2 : 1]),
    );
    const runs = await sweep.runs();
    assert.equal(runs.length, 3);
    const again = runs.find(({ runId }) => runId === end.trials[killed]?.runId);
    assert.equal(again?.resumedFrom, before?.runId);
    assert.equal(runs.find(({ runId }) => runId === before?.runId)?.result?.error?.code, 'container_died');
    // Its curve goes on where the checkpoint was.
    const epochs = end.trials[killed]?.curve.length ?? 0;
    await sweep.when(({ trials: now }) => (now[killed]?.curve.length ?? 0) > Math.max(3, epochs));
    await sweep.files.requestStop(sweep.sweepId, 'kill');
    assert.equal((await sweep.ended()).state, 'stopped');
  });

  it('stops as a whole, with checkpoints', async () => {
    sweep = await SweepInPlace.begin(place, [{ name: 'seed', values: [1, 2, 3] }], { params: LONG });
    await sweep.when(({ trials }) => trials.filter(({ epoch }) => epoch >= 2).length === 2);
    await sweep.files.requestStop(sweep.sweepId, 'stop');
    const { state, trials } = await sweep.ended();
    assert.equal(state, 'stopped');
    assert.ok(trials.every(isTrialFinal));
    assert.deepEqual(
      trials.map((trial) => trial.state),
      ['stopped', 'stopped', 'stopped'],
    );
    const runs = await sweep.runs();
    assert.equal(runs.length, 2);
    assert.ok(runs.every(({ checkpoints }) => checkpoints.some(({ kind }) => kind === 'last')));
  });

  it('leaves the runs of living containers alone where another container of the volume starts', async () => {
    sweep = await SweepInPlace.begin(place, [{ name: 'seed', values: [1, 2] }], { params: LONG });
    await sweep.when(({ trials }) => trials.every(({ epoch }) => epoch >= 1));
    assert.deepEqual(await place.target().settle(), []);
    const states = (await sweep.runs()).map(({ state }) => state);
    assert.deepEqual(states, ['training', 'training']);
    await sweep.files.requestStop(sweep.sweepId, 'kill');
    await sweep.ended();
    const pids = (await livingContainers(place.outputsDir)).map(({ pid }) => pid);
    await untilTrue(async () => (await livingContainers(place.outputsDir)).length <= 1);
    assert.ok(pids.length >= 1);
  });
});
