import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { ContainerClient } from '../../src/client/containerClient';
import { readHeader } from '../../src/volume/safetensors';
import { Following } from './support/following';
import { LONG, Place } from './support/place';
import { settingsWith } from './support/settings';
import { endOf, untilCold, untilStatus } from './support/waiting';

describe('limits of a run', () => {
  let place: Place;
  let client: ContainerClient;
  beforeEach(async () => {
    place = await Place.make();
    client = place.client();
  });
  afterEach(() => place.dispose());

  async function train(policy: Parameters<typeof settingsWith>[0]): Promise<Following> {
    const params = place.params(LONG);
    const options = place.options({
      settings: settingsWith(policy),
      hint: { recipe: 'classifier', params },
    });
    return new Following(client, await client.train('classifier', params, options));
  }

  it('its timeout: a warning first, then it is stopped, and its checkpoint is kept', async () => {
    const run = await train({ runTimeoutMs: 2000 });
    const { status, error, output } = await run.result();
    assert.deepEqual([status, error?.code], ['failed', 'timeout']);
    assert.match(error?.message ?? '', /within its timeout of 2 s\. Its last checkpoint is kept/);
    const warning = run.all('log').find(({ level }) => level === 'warning');
    assert.match(warning?.text ?? '', /will be stopped in 0\.\d s: its timeout is 2 s/);
    assert.ok(output);
    await readHeader(join(await place.runDir(run.runId), 'last.safetensors'));
    await untilStatus(client, ({ state }) => state === 'warm');
  });

  it('a stall is reported, in the status too, and over once there is a step', async () => {
    const run = await train({});
    await run.first('epoch');
    const { trainerPid } = await client.request('status', {});
    assert.ok(trainerPid);
    process.kill(trainerPid, 'SIGSTOP');
    // Not before: a slow start would be a stall too.
    await client.request('configure', { stallTimeoutMs: 1000 });
    const { level } = await run.first('log', ({ text }) => text.includes('has made no progress for 1 s'));
    assert.equal(level, 'warning');
    assert.equal((await client.request('status', {})).run?.stalled, true);
    process.kill(trainerPid, 'SIGCONT');
    await run.first('log', ({ text }) => text === 'The run goes on.');
    assert.equal((await client.request('status', {})).run?.stalled, false);
    await client.stop(run.runId, false);
    assert.equal((await run.result()).status, 'stopped');
  });

  it('a stall ends the run where that is wanted, by force if its trainer does not answer', async () => {
    const run = await train({});
    await run.first('epoch');
    const { trainerPid } = await client.request('status', {});
    assert.ok(trainerPid);
    process.kill(trainerPid, 'SIGSTOP');
    await client.request('configure', { stallTimeoutMs: 1000, stopStalled: true });
    const { status, error } = await run.result();
    assert.deepEqual([status, error?.code], ['failed', 'stalled']);
    await client.request('configure', { stopStalled: false });
    await untilStatus(client, ({ state, trainerPid: next }) => state === 'warm' && next !== trainerPid);
  });

  it('SIGTERM to the container stops it with a checkpoint, and the container goes', async () => {
    const run = await train({});
    await run.first('epoch');
    const { pid } = await client.request('status', {});
    const ended = endOf(pid);
    process.kill(pid, 'SIGTERM');
    assert.equal((await run.result()).status, 'stopped');
    await readHeader(join(await place.runDir(run.runId), 'last.safetensors'));
    await ended();
    await untilCold(client);
  });

  it('a second SIGTERM does not wait for the step', async () => {
    const run = await train({});
    await run.first('epoch');
    const { pid, trainerPid } = await client.request('status', {});
    assert.ok(trainerPid);
    process.kill(trainerPid, 'SIGSTOP');
    process.kill(pid, 'SIGTERM');
    await run.first('state', ({ state }) => state === 'stopping');
    const ended = endOf(pid);
    process.kill(pid, 'SIGTERM');
    assert.equal((await run.result()).status, 'stopped');
    await ended();
  });
});
