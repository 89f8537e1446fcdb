import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import type { Engine } from '../../../src/container/engines/engine';
import { Learners } from '../../../src/container/parallel/learners';
import type { WorkerPool } from '../../../src/container/parallel/workerPool';
import type { Batch, Learner, StepScore } from '../../../src/container/recipes/task';
import { findTask } from '../../../src/container/recipes/tasks';
import type { TensorData } from '../../../src/volume/safetensors';
import { loadBoth } from '../engines/support';
import { classifier, kill, ordinary, prepareWorker, randomBatch, startPool } from './support';

const still = { learningRate: 0, gradientClip: 0, weightDecay: 0 };

/** The largest difference within a tensor, relative to its largest magnitude, over all tensors. */
function distance(some: readonly TensorData[], others: readonly TensorData[]): number {
  assert.deepEqual(
    some.map(({ name, shape }) => [name, shape]),
    others.map(({ name, shape }) => [name, shape]),
  );
  const distances = some.map(({ data }, index) => {
    const other = others[index]?.data ?? new Float32Array();
    const scale = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-6);
    return data.reduce(
      (largest, value, at) => Math.max(largest, Math.abs(value - (other[at] ?? NaN)) / scale),
      0,
    );
  });
  return Math.max(...distances);
}

const close = (actual: number, expected: number, tolerance: number): boolean =>
  Math.abs(actual - expected) <= tolerance * Math.abs(expected);

describe('data-parallel learner', () => {
  let engine: Engine;
  let two: WorkerPool;
  let three: WorkerPool;
  before(async () => {
    engine = (await loadBoth()).wasm;
    await prepareWorker();
    two = startPool(2);
    three = startPool(3);
    await Promise.all([two.ready(), three.ready()]);
  });
  after(() => Promise.all([two.dispose(), three.dispose()]));

  async function use<T>(learner: Promise<Learner>, work: (learner: Learner) => Promise<T>): Promise<T> {
    const used = await learner;
    try {
      return await work(used);
    } finally {
      await used.dispose();
    }
  }

  /** The gradient (in the moments) and the statistics of one step without a change of the weights. */
  const gradientOf = (learner: Promise<Learner>, batches: Batch | readonly Batch[]) =>
    use(learner, async (used) => {
      await used.initialise(3);
      const score = await used.step(batches, still);
      return { score, state: [...(await used.exportState()), ...(await used.exportParameters())] };
    });

  for (const images of [1, 2, 7, 16]) {
    it(`has one worker's gradient and statistics for a batch of ${images}`, async () => {
      const batch = randomBatch(images, images);
      const alone = await gradientOf(classifier(engine), batch);
      for (const pool of [two, three]) {
        const together = await gradientOf(classifier(engine, pool), batch);
        assert.ok(close(together.score.loss, alone.score.loss, 1e-6));
        assert.ok(close(together.score.gradientNorm, alone.score.gradientNorm, 1e-4));
        assert.deepEqual(together.score.sums, alone.score.sums);
        assert.ok(distance(alone.state, together.state) < 1e-3);
      }
    });
  }

  it('accumulates the gradients of several batches as one worker does', async () => {
    const batches = [randomBatch(5, 1), randomBatch(1, 2), randomBatch(4, 3)];
    const alone = await gradientOf(classifier(engine), batches);
    const together = await gradientOf(classifier(engine, three), batches);
    assert.ok(close(together.score.loss, alone.score.loss, 1e-6));
    assert.ok(distance(alone.state, together.state) < 1e-3);
  });

  const train = (learner: Promise<Learner>, steps: number) =>
    use(learner, async (used) => {
      await used.initialise(5);
      const scores: StepScore[] = [];
      for (let step = 0; step < steps; step += 1) {
        scores.push(await used.step(randomBatch(step === 2 ? 1 : 9, step % 4), ordinary));
      }
      return { scores, parameters: await used.exportParameters(), state: await used.exportState() };
    });

  it('follows the loss curve of one worker', async () => {
    const alone = await train(classifier(engine), 12);
    const together = await train(classifier(engine, two), 12);
    together.scores.forEach(({ loss }, step) => {
      assert.ok(close(loss, alone.scores[step]?.loss ?? NaN, 0.03), `step ${step}: ${loss}`);
    });
  });

  it('repeats a run bit for bit', async () => {
    const first = await train(classifier(engine, three), 6);
    assert.deepEqual(await train(classifier(engine, three), 6), first);
  });

  it('learns a batch by heart', () =>
    use(classifier(engine, two), async (learner) => {
      await learner.initialise(1);
      const batch = randomBatch(6, 8);
      const first = await learner.step(batch, ordinary);
      for (let step = 0; step < 60; step += 1) await learner.step(batch, ordinary);
      const last = await learner.step(batch, ordinary);
      assert.ok(last.loss < 0.2 * first.loss, `${first.loss} to ${last.loss}`);
      assert.equal(last.sums.correct, 6);
    }));

  it('begins a second time with the values of the first, whatever was trained in between', async () => {
    for (const pool of [undefined, two]) {
      await use(classifier(engine, pool), async (learner) => {
        await learner.initialise(7);
        const fresh = await learner.exportParameters();
        await learner.step(randomBatch(6, 1), ordinary);
        await learner.initialise(7);
        assert.deepEqual(await learner.exportParameters(), fresh);
        await learner.initialise(8);
        assert.notDeepEqual(await learner.exportParameters(), fresh);
      });
    }
  });

  it('scores and predicts as one worker with the same weights, current and averaged', async () => {
    const optimizer = { averageDecay: 0.9 };
    await use(classifier(engine, three, optimizer), async (together) => {
      await together.initialise(2);
      for (let step = 0; step < 8; step += 1) await together.step(randomBatch(6, step), ordinary);
      await use(classifier(engine, undefined, optimizer), async (alone) => {
        await alone.initialise(9);
        await alone.loadParameters(await together.exportParameters());
        await alone.loadState(await together.exportState());
        for (const weights of ['current', 'average'] as const) {
          const batch = randomBatch(5, 77);
          const expected = await alone.evaluate(batch, weights);
          const actual = await together.evaluate(batch, weights);
          assert.ok(close(actual.loss, expected.loss, 1e-5));
          assert.deepEqual(actual.sums, expected.sums);
          const { logits } = await together.predict(batch, weights);
          assert.ok(logits);
          assert.deepEqual(logits.shape, [5, 3]);
          const reference = (await alone.predict(batch, weights)).logits;
          logits.data.forEach((value, index) => {
            assert.ok(Math.abs(value - (reference?.data[index] ?? NaN)) < 1e-4);
          });
        }
        const [current, average] = [
          await alone.evaluate(randomBatch(5, 1)),
          await alone.evaluate(randomBatch(5, 1), 'average'),
        ];
        assert.notEqual(current.loss, average.loss);
      });
    });
  });

  for (const on of ['one thread', 'workers'] as const) {
    it(`goes on from saved parameters and state as if it had never stopped, on ${on}`, async () => {
      const make = () => classifier(engine, on === 'workers' ? two : undefined, { averageDecay: 0.99 });
      const go = async (learner: Learner, from: number, to: number) => {
        for (let step = from; step < to; step += 1) await learner.step(randomBatch(4, step), ordinary);
      };
      const straight = await use(make(), async (learner) => {
        await learner.initialise(4);
        await go(learner, 0, 6);
        return [...(await learner.exportParameters()), ...(await learner.exportParameters('average'))];
      });
      const saved = await use(make(), async (learner) => {
        await learner.initialise(4);
        await go(learner, 0, 3);
        return { parameters: await learner.exportParameters(), state: await learner.exportState() };
      });
      const resumed = await use(make(), async (learner) => {
        await learner.initialise(99);
        await learner.loadParameters(saved.parameters);
        await learner.loadState(saved.state);
        await go(learner, 3, 6);
        return [...(await learner.exportParameters()), ...(await learner.exportParameters('average'))];
      });
      assert.deepEqual(resumed, straight);
    });
  }

  it('refuses what does not fit, and goes on', () =>
    use(classifier(engine, two), async (learner) => {
      await learner.initialise(1);
      const wrong = [{ name: 'conv1.weight', shape: [1], data: Float32Array.of(1) }];
      await assert.rejects(learner.loadParameters(wrong), /conv1\.weight.*shape/);
      await assert.rejects(learner.loadState([]), /optimizer\/step.*missing/);
      assert.ok(Number.isFinite((await learner.step(randomBatch(3, 1), ordinary)).loss));
    }));

  it('uses threads and learner again for a run of the same shape', async () => {
    const learners = new Learners(engine, {
      script: '',
      wasmDir: '',
      died: () => undefined,
    });
    const task = findTask('classifier');
    const shape = (imageSize: number) => ({ backbone: 'tiny_cnn', classes: 2, imageSize, dropout: 0 });
    const first = await learners.acquire(task, shape(16), { workers: 1 });
    assert.equal(await learners.acquire(task, shape(16), { workers: 1 }), first);
    assert.notEqual(await learners.acquire(task, shape(24), { workers: 1 }), first);
    await learners.dispose();
  });

  it('fails with the cause, and does not hang, where a worker ends in the middle of a step', async () => {
    const threads: Worker[] = [];
    const deaths: string[] = [];
    const pool = startPool(2, {
      spawn: (file, workerData) => {
        const thread = new Worker(file, { workerData });
        threads.push(thread);
        return thread;
      },
      died: (error) => deaths.push(error.message),
    });
    const learner = await classifier(engine, pool);
    await learner.initialise(1);
    const steps = async () => {
      for (;;) await learner.step(randomBatch(8, 1), ordinary);
    };
    const ended = assert.rejects(steps(), /worker 2 of 2 died/);
    kill(threads[1]);
    await ended;
    assert.equal(deaths.length, 1);
    await pool.dispose();
  });

  it('fails with the cause where the data of a step is wrong on one worker', async () => {
    const pool = startPool(2);
    const learner = await classifier(engine, pool);
    await learner.initialise(1);
    const batch = randomBatch(4, 1);
    const labels = { data: Int32Array.of(0, 0, 0, 7), shape: [4] };
    await assert.rejects(learner.step({ ...batch, labels }, ordinary), /label 7 is not in 0\.\.2/);
    await pool.dispose();
  });
});
