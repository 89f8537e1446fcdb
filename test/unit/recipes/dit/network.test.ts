import assert from 'node:assert/strict';
import type { Engine } from '../../../../src/container/engines/engine';
import type { DitShape } from '../../../../src/container/recipes/dit/network';
import { ditNetwork } from '../../../../src/container/recipes/dit/network';
import { gridPositions } from '../../../../src/container/recipes/nn/transformer';
import { loadBoth, seeded, useEngine, values } from '../../engines/support';
import { SMALL, learnerFor, partOf, toyBatch } from './support';

const STEP = { learningRate: 3e-3, gradientClip: 1, weightDecay: 0 };

describe('TinyDiT', () => {
  let engine: Engine;
  before(async () => {
    engine = (await loadBoth()).wasm;
  });
  beforeEach(() => useEngine(engine));

  it('has the parameters of the authors’ network, in their shapes', async () => {
    const { store } = ditNetwork(engine, SMALL);
    store.initialise(1);
    const shapes = new Map((await store.export()).map(({ name, shape }) => [name, shape]));
    store.dispose();
    assert.deepEqual(shapes.get('x_embedder.proj.weight'), [16, 3, 2, 2]);
    assert.deepEqual(shapes.get('pos_embed'), [1, 16, 16]);
    assert.deepEqual(shapes.get('y_embedder.embedding_table.weight'), [3, 16]);
    assert.deepEqual(shapes.get('blocks.1.attn.qkv.weight'), [48, 16]);
    assert.deepEqual(shapes.get('blocks.1.adaLN_modulation.1.weight'), [96, 16]);
    assert.deepEqual(shapes.get('final_layer.linear.weight'), [12, 16]);
  });

  it('has as many parameters as its sizes say, also at the design’s size', () => {
    const count = ({ imageSize, patchSize: patch, width, depth, classes }: DitShape): number => {
      const patchLength = patch * patch * 3;
      const linear = (from: number, to: number) => from * to + to;
      const block =
        linear(width, 3 * width) +
        linear(width, width) +
        linear(width, 4 * width) +
        linear(4 * width, width) +
        linear(width, 6 * width);
      return (
        linear(patchLength, width) +
        (imageSize / patch) ** 2 * width +
        linear(256, width) +
        linear(width, width) +
        (classes + 1) * width +
        depth * block +
        linear(width, 2 * width) +
        linear(width, patchLength)
      );
    };
    for (const shape of [
      SMALL,
      { imageSize: 128, patchSize: 16, width: 384, depth: 12, heads: 6, classes: 2 },
    ]) {
      const { store } = ditNetwork(engine, shape);
      const sizes = Object.values(store.trainable).map(({ size }) => size);
      store.dispose();
      const total = sizes.reduce((sum, size) => sum + size, 0);
      assert.equal(total, count(shape));
    }
  });

  it('starts with blocks that are the identity and a last layer of zeros', () => {
    const { tf } = engine;
    const shallow = ditNetwork(engine, { ...SMALL, depth: 1 });
    const deep = ditNetwork(engine, SMALL);
    for (const { store } of [shallow, deep]) {
      store.initialise(5);
      // A last layer that shows what the blocks did.
      const last = store.trainable['final_layer.linear.weight'];
      last?.assign(tf.tensor(values(seeded(7), last.size), last.shape));
    }
    const [one, two] = [shallow, deep].map((network) =>
      tf.tidy(() => {
        const x = tf.tensor(values(seeded(8), 2 * 16 * 12), [2, 16, 12]);
        const label = tf.tensor1d([0, 1], 'int32');
        return Array.from(network.velocity(x, tf.tensor1d([0.3, 0.9]), label).dataSync());
      }),
    );
    assert.deepEqual(one, two);
    shallow.store.dispose();
    deep.store.dispose();
  });

  it('gives the velocity that leads from its image to x', () => {
    const { tf } = engine;
    const network = ditNetwork(engine, SMALL);
    const { store } = network;
    store.initialise(5);
    const x = values(seeded(9), 16 * 12);
    const fresh = tf.tidy(() => {
      const label = tf.tensor1d([0], 'int32');
      return network.velocity(tf.tensor(x.slice(), [1, 16, 12]), tf.tensor1d([0.5]), label).dataSync();
    });
    store.dispose();
    // Its image is all grey, 0, at first: the velocity is x / t.
    fresh.forEach((value, index) => assert.ok(Math.abs(value - 2 * (x[index] ?? 0)) < 1e-5));
  });

  it('tells places apart by sinusoids', () => {
    const positions = gridPositions(4, 16);
    assert.equal(positions.length, 16 * 16);
    const rows = Array.from({ length: 16 }, (_, place) =>
      positions.slice(place * 16, place * 16 + 16).join(),
    );
    assert.equal(new Set(rows).size, 16);
  });

  it('learns: the loss falls clearly, and the average follows', async () => {
    const learner = await learnerFor(engine);
    await learner.initialise(1);
    const held = toyBatch(32, 1000);
    const before = (await learner.evaluate(held)).loss;
    for (let step = 0; step < 60; step += 1) {
      await learner.step(toyBatch(16, step), STEP);
    }
    const after = (await learner.evaluate(held)).loss;
    const averaged = (await learner.evaluate(held, 'average')).loss;
    await learner.dispose();
    assert.ok(after < before / 3, `${before} to ${after}`);
    assert.ok(averaged < before / 2, `${before} to ${averaged}`);
  });

  it('learns the same from a batch and from its halves, accumulated', async () => {
    const weights: number[][] = [];
    for (const split of [false, true]) {
      const learner = await learnerFor(engine);
      await learner.initialise(1);
      for (let step = 0; step < 3; step += 1) {
        const batch = toyBatch(8, step);
        await learner.step(split ? [partOf(batch, 0, 4), partOf(batch, 4, 4)] : batch, STEP);
      }
      weights.push((await learner.exportParameters()).flatMap(({ data }) => Array.from(data)));
      await learner.dispose();
    }
    const [whole = [], halves = []] = weights;
    whole.forEach((value, index) => assert.ok(Math.abs(value - (halves[index] ?? NaN)) < 1e-4));
  });

  it('leaves nothing behind on the engine', async () => {
    const { tf } = engine;
    const learner = await learnerFor(engine);
    await learner.initialise(1);
    const once = async () => {
      await learner.step(toyBatch(4, 1), STEP);
      await learner.predict(toyBatch(2, 2), 'average');
    };
    await once();
    const before = tf.memory().numTensors;
    for (let round = 0; round < 20; round += 1) {
      await once();
    }
    assert.equal(tf.memory().numTensors, before);
    await learner.dispose();
  });
});
