import assert from 'node:assert/strict';
import { errorCodeOf } from '../../../src/host/container/rpcError';
import { ErrorCode } from '../../../src/protocol/rpc';
import { ContainerStartError } from '../../../src/targets/target';
import { OPTIONS, Testbed } from './support/testbed';

describe('container model', () => {
  let bed: Testbed;
  beforeEach(() => {
    bed = new Testbed();
  });
  afterEach(() => bed.close());

  it('is cold and opens nothing before it is asked', () => {
    const { view } = bed.container;
    assert.equal(view.state, 'cold');
    assert.equal(view.link, 'none');
    assert.equal(view.problem, null);
    assert.equal(bed.opened, 0);
  });

  it('finds a container that lives already', async () => {
    await bed.fake.listen();
    assert.equal(await bed.container.find(), true);
    assert.equal(bed.container.view.state, 'warm');
    assert.equal(bed.container.view.engine, 'cpu');
    assert.equal(bed.container.view.enterPhases.length, 1);
  });

  it('finds none, and opens nothing for it', async () => {
    assert.equal(await bed.container.find(), false);
    assert.equal(bed.opened, 0);
  });

  it('goes cold, warming, training, warm, cold', async () => {
    const states: string[] = [];
    bed.container.on('change', () => {
      const { state } = bed.container.view;
      if (states.at(-1) !== state) {
        states.push(state);
      }
    });
    bed.fake.status.state = 'warming';
    await bed.container.train('classifier', { epochs: 3 }, OPTIONS);
    await bed.until(() => bed.container.view.state === 'training');
    await bed.fake.complete(0.9);
    await bed.until(() => bed.container.view.state === 'warm');
    await bed.container.cool();
    await bed.until(() => bed.container.view.state === 'cold');
    assert.deepEqual(states, ['warming', 'training', 'warm', 'cold']);
  });

  it('starts one container and one connection for several who ask at once', async () => {
    await Promise.all([bed.container.warmUp(OPTIONS), bed.container.warmUp(OPTIONS), bed.container.find()]);
    assert.equal(bed.fake.starts, 1);
    assert.equal(bed.fake.requests.filter(({ method }) => method === 'hello').length, 1);
  });

  it('counts the scaledown window down by its own clock', async () => {
    await bed.container.warmUp(OPTIONS);
    bed.now += 60_000;
    assert.equal(bed.container.view.idleRemainingMs, 240_000);
    bed.now += 1_000_000;
    assert.equal(bed.container.view.idleRemainingMs, 0);
  });

  it('says why a start failed, until the next one works', async () => {
    bed.fake.startError = new ContainerStartError('The outputs volume "/x" cannot be written.');
    await assert.rejects(bed.container.warmUp(OPTIONS), /cannot be written/);
    assert.equal(bed.container.view.state, 'cold');
    assert.equal(bed.container.view.problem, 'The outputs volume "/x" cannot be written.');
    bed.fake.startError = undefined;
    await bed.container.warmUp(OPTIONS);
    assert.equal(bed.container.view.problem, null);
  });

  it('hands on a refusal with its code, and stays warm', async () => {
    await bed.container.warmUp(OPTIONS);
    bed.fake.refusals.set('train', { code: ErrorCode.busy, message: 'busy' });
    await assert.rejects(
      bed.container.train('classifier', {}, OPTIONS),
      (error) => errorCodeOf(error) === ErrorCode.busy,
    );
    assert.equal(bed.container.view.state, 'warm');
    assert.equal(bed.container.view.problem, null);
  });

  it('stops gently first and kills when asked again', async () => {
    const runId = await bed.container.train('classifier', {}, OPTIONS);
    await bed.until(() => bed.container.runningRunId === runId);
    assert.equal(bed.container.isStopping, false);
    await bed.container.stop(runId);
    assert.equal(bed.container.isStopping, true);
    await bed.container.stop(runId);
    const stops = bed.fake.requests.filter(({ method }) => method === 'stop').map(({ params }) => params);
    assert.deepEqual(stops, [
      { runId, kill: false },
      { runId, kill: true },
    ]);
    await bed.fake.complete(0.5);
    await bed.container.idle();
    assert.equal(bed.container.isStopping, false);
  });

  it('says which runs died with the container, and the next training works', async () => {
    const runId = await bed.container.train('classifier', {}, OPTIONS);
    const died = new Promise<string[]>((resolve) => bed.container.once('died', resolve));
    bed.fake.die();
    assert.deepEqual(await died, [runId]);
    assert.equal(bed.container.view.state, 'cold');
    bed.fake.setStatus({ state: 'warm', run: null });
    assert.notEqual(await bed.container.train('classifier', {}, OPTIONS), runId);
  });

  it('pins a run with no container at hand', async () => {
    const runId = await bed.container.train('classifier', {}, OPTIONS);
    await bed.fake.complete(0.9);
    await bed.container.cool();
    await bed.until(() => bed.container.view.state === 'cold');
    assert.equal((await bed.container.setPinned(runId, true)).pinned, true);
    const [run] = await bed.fake.volume.listRuns();
    assert.equal(run?.record.pinned, true);
  });

  it('leaves the container alone when it is closed', async () => {
    await bed.container.warmUp(OPTIONS);
    bed.container.close();
    assert.equal(bed.container.view.state, 'cold');
    assert.notEqual(await bed.fake.find(), undefined);
    assert.equal(
      bed.fake.requests.some(({ method }) => method === 'cool'),
      false,
    );
  });
});
