import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerClient } from '../../src/client/containerClient';
import type { Program } from '../../src/protocol/program';
import { containerDir } from '../../src/targets/local/paths';
import { needsPython } from '../python/support/interpreters';
import { Following } from './support/following';
import { Place } from './support/place';
import { settingsWith } from './support/settings';
import { endOf, untilCold, untilStatus } from './support/waiting';

/** Its enter hook hangs for as long as there is no file "go" beside it, and notes each time that it began. */
const HANGING = `
import os
import time
import tinycats

HERE = os.path.dirname(os.path.abspath(__file__))


@tinycats.enter
def enter():
    with open(os.path.join(HERE, "entered"), "a") as notes:
        notes.write("x")
    while not os.path.exists(os.path.join(HERE, "go")):
        time.sleep(0.05)


def train(epochs: int = 1):
    return "trained"
`;

describe('an enter hook that hangs', () => {
  let place: Place;
  let client: ContainerClient;
  let program: Program;
  let folder: string;
  let interpreter: string;
  before(function () {
    interpreter = needsPython(this);
  });
  beforeEach(async () => {
    place = await Place.make();
    client = place.client();
    folder = join(place.root, 'hanging code');
    await mkdir(folder);
    await writeFile(join(folder, 'train.py'), HANGING);
    program = { kind: 'python', interpreter, folder, entrypoint: 'train.py:train' };
  });
  afterEach(() => place.dispose());

  function options(policy: Parameters<typeof settingsWith>[0]): ReturnType<Place['options']> {
    return place.options({
      settings: settingsWith(policy),
      hint: { recipe: 'train', params: {}, program },
    });
  }
  async function train(policy: Parameters<typeof settingsWith>[0]): Promise<Following> {
    return new Following(client, await client.train('train', {}, options(policy)));
  }
  async function timesEntered(): Promise<number> {
    return (await readFile(join(folder, 'entered'), 'utf8')).length;
  }

  it('is reported as stalled, in the run too, and over once it goes on', async () => {
    const run = await train({ stallTimeoutMs: 1500 });
    await run.first('log', ({ text }) => text === 'The container has made no progress warming up for 1.5 s.');
    const { state, enter, run: waiting } = await client.request('status', {});
    assert.deepEqual([state, enter.stalled, waiting?.stalled], ['warming', true, true]);
    await writeFile(join(folder, 'go'), '');
    assert.equal((await run.result()).returned, 'trained');
    const { enter: entered } = await untilStatus(client, (status) => status.state === 'warm');
    assert.equal(entered.stalled, false);
    assert.equal(await timesEntered(), 1);
  });

  it('does not keep the container for ever: it is let go, says why, and its run has failed', async () => {
    const run = await train({ stallTimeoutMs: 300, scaledownWindowMs: 2000 });
    const { pid } = await untilStatus(client, ({ trainerPid }) => trainerPid !== null);
    const ended = endOf(pid);
    const { status, error } = await run.result();
    assert.deepEqual([status, error?.code], ['failed', 'enter_failed']);
    assert.match(error?.message ?? '', /made no progress warming up for 2 s, the longer of .* was let go/);
    await ended();
    await untilCold(client);
  });

  it('lets the container go when nobody is there, whatever the stall time', async () => {
    await client.start(options({ stallTimeoutMs: 0, scaledownWindowMs: 1500 }));
    const { pid } = await client.request('status', {});
    const ended = endOf(pid);
    client.dispose();
    await ended();
    const log = await readFile(join(containerDir(place.outputsDir), 'container.log'), 'utf8');
    assert.doesNotMatch(log, /has made no progress/);
  });

  it('gets another trainer where stalls are stopped, and the run is trained by that one', async () => {
    const run = await train({ stallTimeoutMs: 2000, stopStalled: true, maxRetries: 20 });
    const retrying = await run.first('state', ({ state }) => state === 'retrying');
    assert.match(retrying.message ?? '', /^Attempt 2 of 21 begins in 0\.001 s, from the beginning$/);
    await writeFile(join(folder, 'go'), '');
    assert.equal((await run.result()).returned, 'trained');
    const warning = run.all('log').find(({ text }) => text.startsWith('The trainer made no progress'));
    assert.match(warning?.text ?? '', /for 2 s while it warmed up, and was stopped\.$/);
  });

  it('is not tried for ever where stalls are stopped and no run waits', async () => {
    const problems: string[] = [];
    client.on('change', () => problems.push(client.status?.problem ?? ''));
    await client.start(options({ stallTimeoutMs: 2000, stopStalled: true }));
    await untilCold(client);
    assert.ok(problems.some((problem) => problem.endsWith('So was the one before.')));
  });

  it('ends at once when it is told to', async () => {
    const run = await train({});
    const { pid } = await untilStatus(client, ({ trainerPid }) => trainerPid !== null);
    const ended = endOf(pid);
    await client.stop(run.runId, false);
    assert.equal((await run.result()).status, 'stopped');
    await client.cool();
    await ended();
  });
});
