import assert from 'node:assert/strict';
import type { NamedTensorMap, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { Engine } from '../../../src/container/engines/engine';
import {
  assertClose,
  assertFiniteDifferences,
  assertSame,
  at,
  input,
  loadBoth,
  readAll,
  seeded,
  useEngine,
  values,
  type Operation,
} from './support';

describe('training operations', () => {
  let engines: { wasm: Engine; cpu: Engine };
  before(async () => {
    engines = await loadBoth();
  });

  const both = () => [engines.wasm, engines.cpu];

  describe('batchNorm', () => {
    const epsilon = 1e-5;
    const normalize: Operation = ({ ops }, t) =>
      ops.batchNorm(at(t), at(t, 1) as Tensor1D, at(t, 2) as Tensor1D, epsilon).y;

    it('is the same fused and composed, with all gradients', () => {
      const random = seeded(21);
      for (const shape of [
        [2, 5, 7, 3],
        [4, 6, 6, 16],
        [1, 9, 8, 21],
        [70, 10],
      ]) {
        const channels = shape.slice(-1);
        const inputs = [input(random, shape), input(random, channels), input(random, channels)];
        assertSame(engines, shape.join('x'), normalize, inputs, { tolerance: 1e-4 });
      }
    });

    it('agrees with finite differences', () => {
      const random = seeded(22);
      const inputs = [input(random, [3, 4, 4, 5]), input(random, [5]), input(random, [5])];
      assertFiniteDifferences(engines.wasm, normalize, inputs);
    });

    it('returns the mean and the biased variance, precisely where the mean is large', () => {
      const random = seeded(23);
      const data = values(random, 200 * 6).map((value) => value + 1000);
      for (const engine of both()) {
        useEngine(engine);
        const { tf, ops } = engine;
        const [mean, variance] = tf.tidy((): [number[], number[]] => {
          const x = tf.tensor(data.slice(), [2, 10, 10, 6]);
          const result = ops.batchNorm(x, tf.ones([6]), tf.zeros([6]), epsilon);
          return [Array.from(result.mean.dataSync()), Array.from(result.variance.dataSync())];
        });
        for (let c = 0; c < 6; c++) {
          const channel = Array.from(data).filter((_, index) => index % 6 === c);
          const exact = channel.reduce((sum, value) => sum + value, 0) / 200;
          const spread = channel.reduce((sum, value) => sum + (value - exact) ** 2, 0) / 200;
          assert.ok(Math.abs((mean[c] ?? NaN) - exact) < 1e-3, engine.name);
          assert.ok(Math.abs((variance[c] ?? NaN) - spread) < 1e-3 * spread, engine.name);
        }
      }
    });
  });

  describe('crossEntropy', () => {
    const withLabels =
      (labels: number[]): Operation =>
      ({ tf, ops }, t) =>
        ops.crossEntropy(at(t) as Tensor2D, tf.tensor1d(labels, 'int32'));

    it('is the same fused and composed, with its gradient', () => {
      const random = seeded(31);
      for (const [rows, classes] of [
        [1, 2],
        [5, 3],
        [32, 10],
        [3, 1000],
      ] as const) {
        const labels = Array.from({ length: rows }, () => Math.floor(random() * classes));
        const { shape, values: logits } = input(random, [rows, classes]);
        const inputs = [{ shape, values: logits.map((value) => value * 10) }];
        assertSame(engines, `${rows} x ${classes}`, withLabels(labels), inputs);
      }
    });

    it('agrees with finite differences', () => {
      assertFiniteDifferences(engines.wasm, withLabels([2, 0, 1]), [input(seeded(32), [3, 4])]);
    });

    it('stays finite with extreme logits and passes NaN on', () => {
      useEngine(engines.wasm);
      const { tf, ops } = engines.wasm;
      const loss = (logits: number[]) =>
        tf.tidy(() => ops.crossEntropy(tf.tensor2d([logits]), tf.tensor1d([0], 'int32')).dataSync()[0]);
      assert.equal(loss([1e4, -1e4]), 0);
      assert.equal(loss([-1e4, 1e4]), 2e4);
      assert.equal(loss([NaN, 0]), NaN);
    });

    it('names a label that is out of range', () => {
      useEngine(engines.wasm);
      const { tf, ops } = engines.wasm;
      const run = () => tf.tidy(() => ops.crossEntropy(tf.zeros([2, 3]), tf.tensor1d([1, 3], 'int32')));
      assert.throws(run, /label 3 is not in 0\.\.2/);
    });
  });

  describe('clipByGlobalNorm', () => {
    const clip = (engine: Engine, maxNorm: number) => {
      useEngine(engine);
      const { tf, ops } = engine;
      const grads: NamedTensorMap = { a: tf.tensor([3, 0, 0, 0, 0]), b: tf.tensor([[0], [4]]) };
      const { grads: clipped, norm } = ops.clipByGlobalNorm(grads, maxNorm);
      const result = { ...readAll(clipped), ...readAll({ norm }) };
      tf.dispose(grads);
      return result;
    };

    it('scales gradients down to the largest norm and tells the norm before', () => {
      for (const engine of both()) {
        const { a, b, norm } = clip(engine, 1);
        assertClose(
          Float32Array.from([...(a ?? []), ...(b ?? [])]),
          Float32Array.of(0.6, 0, 0, 0, 0, 0, 0.8),
          engine.name,
        );
        assert.deepEqual(norm, [5], engine.name);
      }
    });

    it('leaves small gradients alone', () => {
      for (const engine of both()) {
        assert.deepEqual(clip(engine, 10), { a: [3, 0, 0, 0, 0], b: [0, 4], norm: [5] }, engine.name);
      }
    });
  });

  describe('adam', () => {
    const shapes = [[3, 3, 2, 5], [7]];

    /** Runs `count` steps with seeded gradients and returns the weights after each, reloading the state at `reloadAt`. */
    const run = async (engine: Engine, { count = 5, weightDecay = 0, reloadAt = -1 } = {}) => {
      useEngine(engine);
      const { tf, ops } = engine;
      const random = seeded(41);
      const data = (shape: number[]) =>
        values(
          random,
          shape.reduce((a, b) => a * b, 1),
        );
      const variables = shapes.map((shape) => tf.tidy(() => tf.variable(tf.tensor(data(shape), shape))));
      const parameters = Object.fromEntries(variables.map((variable, index) => [`p${index}`, variable]));
      let optimizer = ops.adam(parameters);
      for (let step = 0; step < count; step++) {
        if (step === reloadAt) {
          const state = await optimizer.exportState();
          optimizer.dispose();
          optimizer = ops.adam(parameters);
          optimizer.importState(state);
        }
        tf.tidy(() => {
          const grads = Object.fromEntries(variables.map((v) => [v.name, tf.tensor(data(v.shape), v.shape)]));
          optimizer.step(grads, 0.01 * (step + 1), weightDecay);
        });
      }
      const weights = Float32Array.from(variables.flatMap((variable) => Array.from(variable.dataSync())));
      const { steps } = optimizer;
      optimizer.dispose();
      tf.dispose(variables);
      return { weights, steps };
    };

    it('is the same fused and composed, with and without weight decay', async () => {
      for (const weightDecay of [0, 0.1]) {
        const expected = await run(engines.cpu, { weightDecay });
        assertClose(
          (await run(engines.wasm, { weightDecay })).weights,
          expected.weights,
          `decay ${weightDecay}`,
        );
      }
    });

    it('moves by the learning rate in the first step, against the sign of the gradient', async () => {
      const before = (await run(engines.wasm, { count: 0 })).weights;
      const after = (await run(engines.wasm, { count: 1 })).weights;
      after.forEach((weight, i) => {
        assert.ok(Math.abs(Math.abs(weight - (before[i] ?? NaN)) - 0.01) < 1e-4);
      });
    });

    it('goes on from an exported state as if it had never stopped', async () => {
      for (const engine of both()) {
        const whole = await run(engine);
        assert.deepEqual(await run(engine, { reloadAt: 3 }), whole, engine.name);
        assert.equal(whole.steps, 5);
      }
    });

    it('refuses a state that does not fit and keeps its own', async () => {
      useEngine(engines.wasm);
      const { tf, ops } = engines.wasm;
      const weight = tf.tidy(() => tf.variable(tf.zeros([3])));
      const optimizer = ops.adam({ weight });
      const state = await optimizer.exportState();
      assert.throws(
        () => optimizer.importState({ ...state, 'weight/v': new Float32Array(2) }),
        /"weight\/v".*3 values/,
      );
      assert.throws(() => optimizer.importState({}), /"step".*is missing/);
      assert.deepEqual(await optimizer.exportState(), state);
      optimizer.dispose();
      weight.dispose();
    });
  });
});
