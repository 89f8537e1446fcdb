import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { ContainerClient } from '../../src/client/containerClient';
import { DEFAULT_POLICY } from '../../src/protocol/rpc';
import { applyEvent, emptyRunView } from '../../src/protocol/runView';
import { readHeader } from '../../src/volume/safetensors';
import { Following, range } from './support/following';
import { LONG, Place } from './support/place';
import { SETTINGS, settingsWith } from './support/settings';
import { untilCold, untilStatus, untilTrue } from './support/waiting';

describe('a run that is tried again', () => {
  let place: Place;
  let client: ContainerClient;
  beforeEach(async () => {
    place = await Place.make();
    client = place.client();
  });
  afterEach(() => place.dispose());

  async function train(settings = SETTINGS): Promise<Following> {
    const params = place.params(LONG);
    const options = place.options({ settings, hint: { recipe: 'classifier', params } });
    return new Following(client, await client.train('classifier', params, options));
  }

  async function killTrainer(): Promise<number> {
    const { trainerPid } = await client.request('status', {});
    assert.ok(trainerPid);
    process.kill(trainerPid, 'SIGKILL');
    return trainerPid;
  }

  it('stays one run, says why and when, and goes on from its own last checkpoint', async () => {
    const run = await train(settingsWith({ maxRetries: 3 }));
    await run.first('checkpoint', ({ kind, epoch }) => kind === 'last' && epoch >= 3);
    await killTrainer();
    const retrying = await run.first('state', ({ state }) => state === 'retrying');
    assert.match(retrying.message ?? '', /^Attempt 2 of 4 begins in 0\.001 s, from the last checkpoint$/);
    const warning = run.all('log').find(({ level }) => level === 'warning');
    assert.match(
      warning?.text ?? '',
      /The trainer died in the middle of the run: it was killed \(SIGKILL\), by hand or/,
    );
    const resumed = await run.first('resumed');
    assert.ok(resumed.epoch >= 3);
    assert.equal(resumed.from, join(await place.runDir(run.runId), 'last.safetensors'));
    const next = await run.first('epoch', ({ seq }) => seq > resumed.seq);
    assert.equal(next.epoch, resumed.epoch + 1);
    await client.stop(run.runId, false);
    assert.equal((await run.result()).status, 'stopped');
    assert.deepEqual(run.seqs, range(1, run.events.length));
    assert.equal(run.all('first_step').length, 1);
    const view = emptyRunView(run.runId);
    run.events.forEach((event) => applyEvent(view, event));
    assert.deepEqual(
      view.epochs.map(({ epoch }) => epoch),
      range(1, view.epochs.length),
    );
    assert.equal((await place.volume.listRuns()).length, 1);
  });

  it('begins anew where it has no checkpoint yet, and says so', async () => {
    const run = await train(settingsWith({ maxRetries: 3 }));
    await run.first('state', ({ state }) => state === 'preparing');
    await killTrainer();
    const resumed = await run.first('resumed');
    // The checkpoint of the first epoch may have been written before the signal came.
    assert.ok(resumed.from === null ? resumed.epoch === 0 : resumed.epoch >= 1);
    await run.first('epoch', ({ seq }) => seq > resumed.seq);
    await client.stop(run.runId, false);
    await run.result();
  });

  it('fails once it has been tried often enough', async () => {
    const run = await train(settingsWith({ maxRetries: 1 }));
    await run.first('epoch');
    const killed = await killTrainer();
    const { seq } = await run.first('resumed');
    await run.first('epoch', (epoch) => epoch.seq > seq);
    assert.notEqual(await killTrainer(), killed);
    const { status, error } = await run.result();
    assert.equal(status, 'failed');
    assert.equal(error?.code, 'trainer_died');
    assert.match(error.message, /The run was tried 2 times\. What was saved is kept/);
    await untilStatus(client, ({ state }) => state === 'warm');
  });

  it('ends as stopped if the user stops it while it waits', async () => {
    const retries = { ...DEFAULT_POLICY.retries, initialDelayMs: 60_000 };
    const run = await train({ ...SETTINGS, retries });
    await run.first('epoch');
    await killTrainer();
    const { message } = await run.first('state', ({ state }) => state === 'retrying');
    assert.match(message ?? '', /^Attempt 2 of 4 begins in 60 s/);
    await client.stop(run.runId, false);
    const { status, error } = await run.result();
    assert.deepEqual([status, error], ['stopped', undefined]);
  });

  it('is not one whose data or parameters are wrong', async () => {
    const params = place.params({ data_dir: join(place.root, 'not here') });
    const options = place.options({ settings: settingsWith({ maxRetries: 3 }) });
    const run = new Following(client, await client.train('classifier', params, options));
    assert.equal((await run.result()).error?.code, 'data');
    assert.deepEqual(
      run.all('state').filter(({ state }) => state === 'retrying'),
      [],
    );
  });

  it('can be gone on with by another run, after its container died', async () => {
    const first = await train();
    await first.first('checkpoint', ({ kind, epoch }) => kind === 'last' && epoch >= 2);
    const { pid } = await client.request('status', {});
    process.kill(pid, 'SIGKILL');
    assert.equal((await first.result()).error?.code, 'container_died');
    await untilCold(client);

    const runId = await client.resume(first.runId, place.options());
    const second = new Following(client, runId);
    const { epoch, from } = await second.first('resumed');
    assert.ok(epoch >= 2);
    assert.equal(from, join(await place.runDir(first.runId), 'last.safetensors'));
    assert.equal((await second.first('epoch')).epoch, epoch + 1);
    assert.equal(second.events[0]?.type === 'run' ? second.events[0].resumedFrom : '', first.runId);
    await client.stop(runId, false);
    const { output } = await second.result();
    assert.ok(output);
    await readHeader(output);
    const dir = await place.runDir(runId);
    await untilTrue(async () => (await place.volume.readRecord(dir))?.resumedFrom === first.runId);
    await assert.rejects(
      client.request('train', { recipe: 'classifier', params: {}, resumeRun: '20200101-000000-abcdef' }),
      /has no run/,
    );
  });
});
