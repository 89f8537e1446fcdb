import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerClient } from '../../src/client/containerClient';
import type { ParameterValues } from '../../src/protocol/parameters';
import type { Program } from '../../src/protocol/program';
import { recipeOf } from '../../src/protocol/program';
import { chooseInterpreter } from '../../src/python/interpreter';
import { pathWithFakeNvidiaSmi } from '../python/support/nvidiaSmi';
import { Following } from './support/following';
import { Place } from './support/place';
import { settingsWith } from './support/settings';
import { untilTrue } from './support/waiting';

const PLAIN = `
import time

def train(epochs: int = 2, lr: float = 0.1):
    for epoch in range(1, epochs + 1):
        print(f"Epoch   {epoch}/{epochs} | Train loss: {1 / epoch:.2f} acc: 0.50 | Val loss: 0.39 acc: 0.{epoch} | LR: 1.0e-04 | Time: 3.2s")
    return {"epochs": epochs, "lr": lr}

def fail():
    raise ValueError("the cats are out")

def endless():
    while True:
        time.sleep(0.01)

def stubborn():
    while True:
        try:
            time.sleep(0.05)
        except KeyboardInterrupt:
            print("not yet")

def talkative():
    for second in range(10):
        print("still here")
        time.sleep(0.4)

def crash():
    import os, sys
    print("last words", file=sys.stderr, flush=True)
    os.abort()
`;

describe('the user’s own Python', () => {
  let place: Place;
  let client: ContainerClient;
  let code: string;

  before(function () {
    if (!existsSync(join('dist', 'python', 'tinycats_trainer.py'))) {
      console.log('      skipped: dist has no trainer in Python');
      this.skip();
    }
    try {
      execFileSync(chooseInterpreter('', undefined), ['-c', 'import sys; assert sys.version_info >= (3, 9)']);
    } catch {
      console.log('      skipped: there is no python3 of version 3.9 or newer on this machine');
      this.skip();
    }
  });
  beforeEach(async () => {
    place = await Place.make();
    client = place.client();
    code = join(place.root, 'my code');
    await mkdir(join(code, 'src'), { recursive: true });
    await writeFile(join(code, 'src', 'train.py'), PLAIN);
  });
  afterEach(() => place.dispose());

  function programOf(name: string): Program {
    return { kind: 'python', interpreter: '', folder: code, entrypoint: `src/train.py:${name}` };
  }

  async function train(name: string, params: ParameterValues = {}, policy = {}): Promise<Following> {
    const program = programOf(name);
    const recipe = recipeOf(`:${name}`);
    const settings = settingsWith(policy);
    const options = place.options({ settings, hint: { recipe, params, program } });
    return new Following(client, await client.train(recipe, params, options));
  }

  it('trains; its log lines are metrics, what it returned is the result', async () => {
    const run = await train('train', { epochs: 3, lr: 0.25 });
    const result = await run.result();
    assert.deepEqual(result.error, undefined);
    assert.equal(result.status, 'completed');
    assert.equal(result.start, 'cold');
    assert.deepEqual(result.returned, { epochs: 3, lr: 0.25 });
    const epochs = run.all('epoch');
    assert.deepEqual(
      epochs.map(({ epoch, val_acc }) => [epoch, val_acc]),
      [
        [1, 0.1],
        [2, 0.2],
        [3, 0.3],
      ],
    );
    const dir = await place.runDir(run.runId);
    // The record is written behind the events.
    await untilTrue(async () => (await place.volume.readRecord(dir))?.state === 'completed');
    const record = await place.volume.readRecord(dir);
    assert.equal(record?.entrypoint, 'src/train.py:train');
    assert.deepEqual(record.best, { epoch: 3, val_acc: 0.3 });
    assert.deepEqual(
      record.files?.map(({ path }) => path),
      ['src/train.py'],
    );
    assert.match(record.files.map(({ sha256 }) => sha256).join(), /^[0-9a-f]{64}$/);
  });

  it('is read again when it has changed, in the same warm process', async () => {
    await (await train('train')).result();
    const before = await client.request('status', {});
    for (let edit = 0; edit < 5; edit += 1) {
      await writeFile(
        join(code, 'src', 'train.py'),
        `def train(epochs: int = 2, lr: float = 0.1):\n    return ${edit}\n`,
      );
      const result = await (await train('train')).result();
      assert.equal(result.returned, edit);
      assert.equal(result.start, 'warm');
    }
    const after = await client.request('status', {});
    assert.equal(after.trainerPid, before.trainerPid);
  });

  it('fails with the place of its exception, once, and the container stays warm', async () => {
    await (await train('train')).result();
    const { trainerPid } = await client.request('status', {});
    const program = programOf('train');
    await writeFile(
      join(code, 'src', 'train.py'),
      'def train(epochs: int = 2):\n    x = 1\n    raise ValueError("the cats are out")\n',
    );
    const options = place.options({ hint: { recipe: 'train', params: {}, program } });
    const run = new Following(client, await client.train('train', {}, options));
    const { status, error } = await run.result();
    assert.equal(status, 'failed');
    assert.equal(error?.code, 'user_code');
    assert.match(error.message, /the cats are out/);
    assert.deepEqual(error.location, { file: join(code, 'src', 'train.py'), line: 3 });
    assert.equal(run.all('state').filter(({ state }) => state === 'retrying').length, 0);
    assert.deepEqual(
      run.all('log').find(({ level, location }) => level === 'error' && location !== undefined)?.location,
      error.location,
    );
    await writeFile(join(code, 'src', 'train.py'), 'def train(:\n');
    const broken = await (await train('train')).result();
    assert.equal(broken.error?.location?.line, 1);
    assert.equal((await client.request('status', {})).trainerPid, trainerPid);
  });

  it('is stopped by KeyboardInterrupt', async () => {
    const run = await train('endless');
    await run.first('state', ({ state }) => state === 'training');
    await client.stop(run.runId, false);
    const { status } = await run.result();
    assert.equal(status, 'stopped');
    assert.ok((await client.request('status', {})).trainerPid);
  });

  it('is killed if it goes on for longer than the grace time', async function () {
    this.timeout(60_000);
    const run = await train('stubborn');
    await run.first('state', ({ state }) => state === 'training');
    const { trainerPid } = await client.request('status', {});
    await client.stop(run.runId, false);
    const { status } = await run.result();
    assert.equal(status, 'stopped');
    assert.notEqual((await client.request('status', {})).trainerPid, trainerPid);
  });

  it('is stalled where it gives no sign of life, however busy the GPU, and not while it prints', async () => {
    const { PATH } = process.env;
    process.env.PATH = pathWithFakeNvidiaSmi(join(place.root, 'bin'));
    try {
      const silent = await train('endless', {}, { stallTimeoutMs: 2500 });
      await silent.first('device');
      await silent.first('log', ({ text }) => text === 'The run has made no progress for 2.5 s.');
      await client.stop(silent.runId, false);
      await silent.result();
    } finally {
      process.env.PATH = PATH;
    }
    const talkative = await train('talkative', {}, { stallTimeoutMs: 2500 });
    assert.equal((await talkative.result()).status, 'completed');
    assert.deepEqual(
      talkative.all('log').filter(({ level }) => level === 'warning'),
      [],
    );
  });

  it('that crashes is not tried again, and says its last words', async () => {
    const run = await train('crash');
    const { status, error } = await run.result();
    assert.equal(status, 'failed');
    assert.equal(error?.code, 'trainer_died');
    assert.match(error.message, /SIGABRT.*train\.py", line \d+ in crash/s);
    assert.equal(run.all('state').filter(({ state }) => state === 'retrying').length, 0);
  });

  it('is begun anew where its process was killed from outside', async () => {
    await client.start(place.options());
    await client.request('configure', {
      scaledownWindowMs: 120_000,
      keepDates: 5,
      retries: { maxRetries: 1, backoffCoefficient: 1, initialDelayMs: 10, maxDelayMs: 10 },
    });
    const program = programOf('endless');
    const { runId } = await client.request('train', { recipe: 'endless', params: {}, program });
    const run = new Following(client, runId);
    await run.first('state', ({ state }) => state === 'training');
    const { trainerPid } = await client.request('status', {});
    assert.ok(trainerPid);
    process.kill(trainerPid, 'SIGKILL');
    const resumed = await run.first('resumed');
    assert.equal(resumed.from, null);
    await untilTrue(() => run.all('state').filter(({ state }) => state === 'training').length === 2);
    await client.stop(runId, true);
    assert.equal((await run.result()).status, 'stopped');
  });

  it('stays warm for every function of its file, and for other patterns', async () => {
    await (await train('train')).result();
    const { trainerPid } = await client.request('status', {});
    const result = await (await train('fail')).result();
    assert.deepEqual([result.start, result.error?.code], ['warm', 'user_code']);
    const program = { ...programOf('train'), metricPatterns: ['Val loss: (?P<mine>[0-9.]+)'] };
    const options = place.options({ hint: { recipe: 'train', params: {}, program } });
    const run = new Following(client, await client.train('train', {}, options));
    assert.equal((await run.result()).start, 'warm');
    assert.equal(run.all('metrics').at(0)?.values.mine, 0.39);
    assert.equal((await client.request('status', {})).trainerPid, trainerPid);
  });

  it('gives way to the recipes and comes back, which are cold starts', async () => {
    await (await train('train')).result();
    const recipe = await place.train(client);
    const result = await recipe.result();
    assert.deepEqual([result.status, result.start], ['completed', 'cold']);
    assert.match(
      recipe
        .all('log')
        .map(({ text }) => text)
        .join('\n'),
      /was warm for src\/train\.py:train: it warms up for the recipes/,
    );
    assert.equal((await (await train('train')).result()).start, 'cold');
  });

  it('that cannot be started says which interpreter and why', async () => {
    const program: Program = {
      kind: 'python',
      interpreter: '/no/such/python',
      folder: code,
      entrypoint: 'src/train.py:train',
    };
    const options = place.options({ hint: { recipe: 'train', params: {}, program } });
    await assert.rejects(
      client.train('train', {}, options),
      /there is no "\/no\/such\/python" where the container lives/,
    );
  });
});
