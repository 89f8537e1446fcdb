import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { ensureSampleDataset } from '../../src/container/data/sample/sampleDataset';
import type { Phase, RunEvent } from '../../src/protocol/events';
import { runRecordSchema } from '../../src/protocol/run';
import { readTensors } from '../../src/volume/safetensors';
import type { Following } from './support/following';
import { Place } from './support/place';
import { untilStatus } from './support/waiting';

const FILES = ['best.safetensors', 'events.jsonl', 'last.safetensors', 'run.json', 'training.log'];

describe('a warm container', () => {
  let place: Place;
  let sample: string;
  before(async () => {
    sample = await mkdtemp(join(tmpdir(), 'tiny-cats-sample-'));
    await ensureSampleDataset(sample);
  });
  after(() => rm(sample, { recursive: true, force: true }));
  beforeEach(async () => {
    place = await Place.make();
  });
  afterEach(() => place.dispose());

  it('is started once, tells the phases of its start, and is warm for the second run', async () => {
    await cp(sample, place.dataDir, { recursive: true });
    const client = place.client();
    const cold = await place.train(client, { data_dir: 'sample', epochs: 2, batch_size: 32 });
    const first = await cold.result();
    assert.equal(first.status, 'completed', first.error?.message);
    assert.equal(first.start, 'cold');

    const phases = cold.all('phase').map(({ phase }) => phase);
    const enter = phases.filter(({ scope }) => scope === 'enter');
    const { outer, warmUp } = namesOf(enter);
    // There is one more where the enter hook is done with these before the run is asked for.
    assert.deepEqual(outer, outer.length > OUTER.length ? [...OUTER, 'data set'] : OUTER);
    assert.deepEqual(warmUp, warmUp.length > WARM_UP.length ? [...WARM_UP, 'whole batch'] : WARM_UP);
    assert.equal(enter.find(({ name }) => name === 'warm-up')?.within, 'device initialisation');
    const { time_to_first_step_ms: firstStepMs } = first;
    assert.ok(firstStepMs !== null);
    for (const { name, startMs, durationMs } of enter) {
      const isInside = durationMs >= 0 && startMs + durationMs <= firstStepMs;
      assert.ok(isInside, `${name}: ${startMs} + ${durationMs} of ${firstStepMs}`);
    }

    const warm = await place.train(client, { data_dir: 'sample', epochs: 1, batch_size: 32 });
    const second = await warm.result();
    assert.equal(second.status, 'completed');
    assert.equal(second.start, 'warm');
    assert.deepEqual(
      warm.all('phase').filter(({ phase }) => phase.scope === 'enter'),
      [],
    );
    assert.ok(second.time_to_first_step_ms !== null && second.time_to_first_step_ms < firstStepMs);
    const status = await untilStatus(client, ({ runs }) => runs === 2);
    assert.equal(status.state, 'warm');
    assert.deepEqual(
      [cold, warm].map((run) => run.all('run')[0]?.containerId),
      [status.containerId, status.containerId],
    );
    assert.equal(status.enter.phases.length, enter.length);
  });

  it('has read its data set and trained a whole batch where it is warmed up before there is a run', async () => {
    const client = place.client();
    const asked = { epochs: 2, batch_size: 16 };
    const cold = await numbersOf(await place.train(client, asked));
    await client.cool();

    const another = place.client();
    const hint = { recipe: 'classifier', params: place.params(asked) };
    await another.start(place.options({ hint }));
    const { enter } = await untilStatus(another, ({ state }) => state === 'warm');
    const { outer, warmUp } = namesOf(enter.phases);
    assert.deepEqual(outer, [...OUTER, 'data set']);
    assert.deepEqual(warmUp, [...WARM_UP, 'whole batch']);

    const run = await place.train(another, asked);
    assert.equal((await run.result()).start, 'warm');
    assert.deepEqual(await numbersOf(run), cold);
  });

  it('leaves the files that the volume promises', async () => {
    const client = place.client();
    const run = await place.train(client, { epochs: 3, output: 'models/käse "best".safetensors' });
    const result = await run.result();
    await untilStatus(client, ({ runs }) => runs === 1);
    assert.equal(result.status, 'completed');
    assert.equal(result.output, join(place.outputsDir, 'models', 'käse "best".safetensors'));

    const dir = await place.runDir(run.runId);
    const date = run.runId.replace(/^(\d{4})(\d{2})(\d{2}).*/, '$1-$2-$3');
    assert.equal(dir, join(place.outputsDir, 'checkpoints', 'classifier', date, run.runId));
    assert.deepEqual((await readdir(dir)).sort(), FILES);

    const record = v.parse(runRecordSchema, JSON.parse(await readFile(join(dir, 'run.json'), 'utf8')));
    assert.equal(record.state, 'completed');
    assert.equal(record.target, 'local');
    assert.deepEqual(record.params.data_dir, place.images);
    assert.deepEqual(record.checkpoints.map(({ kind }) => kind).sort(), ['best', 'last']);
    assert.deepEqual(record.result, {
      status: 'completed',
      output: result.output,
      val_acc: result.val_acc,
      start: 'cold',
      time_to_first_step_ms: result.time_to_first_step_ms,
    });
    assert.equal(record.best?.val_acc, result.val_acc);
    assert.equal(record.timeToFirstStepMs, result.time_to_first_step_ms);

    const log = await readFile(join(dir, 'training.log'), 'utf8');
    assert.match(log, /^\d{4}-\d\d-\d\dT[\d:.]+Z INFO +Epoch {3}1\/3 \| Train loss: .* \| LR: .* \| Time: /m);
    assert.match(log, /INFO +completed\n$/);

    assert.deepEqual(await readFile(result.output), await readFile(join(dir, 'best.safetensors')));
  });

  it('gives the same numbers and weights for the same seed, whatever was trained in between', async () => {
    const client = place.client();
    const first = await numbersOf(await place.train(client, { epochs: 2 }));
    const otherSeed = await numbersOf(await place.train(client, { epochs: 1, seed: 7 }));
    assert.notDeepEqual(otherSeed.epochs[0], first.epochs[0]);
    await numbersOf(await place.train(client, { epochs: 1, data_dir: 'sample', batch_size: 64 }));
    assert.deepEqual(await numbersOf(await place.train(client, { epochs: 2 })), first);

    await client.cool();
    const another = place.client();
    const run = await place.train(another, { epochs: 2 });
    assert.equal((await run.result()).start, 'cold');
    assert.deepEqual(await numbersOf(run), first);
  });

  async function numbersOf(run: Following): Promise<{ epochs: unknown[]; weights: Map<string, Buffer> }> {
    assert.equal((await run.result()).status, 'completed');
    const tensors = await readTensors(join(await place.runDir(run.runId), 'last.safetensors'));
    return {
      epochs: run.all('epoch').map(withoutTimes),
      weights: new Map([...tensors].map(([name, tensor]) => [name, Buffer.from(tensor.data.buffer)])),
    };
  }
});

/** The phases of an enter hook that a run waits for. */
const OUTER = ['process start', 'module import', 'device initialisation', 'data set metadata', 'model'];
const WARM_UP = ['first allocation', 'workers and model', 'forward and backward pass'];

function namesOf(enter: readonly Phase[]): { outer: string[]; warmUp: string[] } {
  const within = (around: string | undefined) =>
    enter.flatMap((phase) => (phase.within === around ? [phase.name] : []));
  return { outer: within(undefined), warmUp: within('warm-up') };
}

function withoutTimes(event: Extract<RunEvent, { type: 'epoch' }>): unknown {
  const { epoch, train_loss, train_acc, val_loss, val_acc, lr } = event;
  return { epoch, train_loss, train_acc, val_loss, val_acc, lr };
}
