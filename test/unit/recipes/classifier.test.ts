import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunEventBody } from '../../../src/protocol/events';
import type { ParameterValues } from '../../../src/protocol/parameters';
import { BatchWorkers } from '../../../src/container/data/batchWorkers';
import type { Engine } from '../../../src/container/engines/engine';
import { Learners } from '../../../src/container/parallel/learners';
import { createClassifier } from '../../../src/container/recipes/classifier/classifier';
import type { Recipe } from '../../../src/container/recipes/recipe';
import { readHeader, readTensors } from '../../../src/volume/safetensors';
import { loadBoth, wasmDir } from '../engines/support';
import type { FinishedRun } from './classifierRuns';
import { SIDE, epochsOf, stripes, trainRun } from './classifierRuns';

describe('classifier', () => {
  let home = '';
  let engine: Engine;
  let recipe: Recipe;
  let params: ParameterValues;

  before(async () => {
    engine = (await loadBoth()).wasm;
    home = await mkdtemp(join(tmpdir(), 'classifier-'));
    await stripes(join(home, 'images'), 40);
    recipe = createClassifier({
      engine,
      learners: new Learners(engine),
      wasmDir,
      dataDir: join(home, 'data'),
    });
    params = { data_dir: join(home, 'images'), image_size: SIDE, epochs: 4, batch_size: 16, lr: 1e-3 };
  });
  after(() => rm(home, { recursive: true, force: true }));

  const train = (given: ParameterValues, stopAfter?: RunEventBody['type']): Promise<FinishedRun> =>
    trainRun(recipe, home, { ...params, ...given }, ({ type }) => type === stopAfter);

  it('learns to tell two kinds of images apart, also images that it never saw', async () => {
    const { events, outcome, firstSteps } = await train({});
    assert.equal(firstSteps, 1);
    const epochs = epochsOf(events);
    assert.equal(outcome.status, 'completed');
    assert.equal(epochs.length, 4);
    assert.ok((outcome.val_acc ?? 0) > 0.85, `val_acc is ${String(outcome.val_acc)}`);
    assert.ok((epochs.at(-1)?.train_loss ?? 1) < (epochs[0]?.train_loss ?? 0));
  });

  it('gives the same numbers and weights for the same seed, whatever was trained in between', async () => {
    const first = await train({ epochs: 2 });
    const other = await train({ epochs: 1, seed: 7, batch_size: 5 });
    const again = await train({ epochs: 2 });
    assert.deepEqual(epochsOf(again.events), epochsOf(first.events));
    assert.notDeepEqual(epochsOf(other.events)[0], epochsOf(first.events)[0]);
    assert.deepEqual(
      await readTensors(join(again.runDir, 'last.safetensors')),
      await readTensors(join(first.runDir, 'last.safetensors')),
    );
  });

  it('gives the same numbers and weights where worker threads make the batches', async () => {
    const given = { ...params, epochs: 2, augmentation: 'advanced' };
    const alone = await train(given);
    const batchWorkers = new BatchWorkers({ log: (text) => assert.fail(text) });
    try {
      batchWorkers.start(2);
      while (batchWorkers.ready < 2) {
        await delay(5);
      }
      const learners = new Learners(engine);
      const helped = createClassifier({
        engine,
        learners,
        wasmDir,
        dataDir: join(home, 'data'),
        batchWorkers,
      });
      const { events, runDir } = await trainRun(helped, home, given);
      assert.deepEqual(epochsOf(events), epochsOf(alone.events));
      assert.deepEqual(
        await readTensors(join(runDir, 'last.safetensors')),
        await readTensors(join(alone.runDir, 'last.safetensors')),
      );
    } finally {
      await batchWorkers.end();
    }
  });

  it('keeps no tensor of a run that has ended', async () => {
    await train({ epochs: 1 });
    const before = engine.tf.memory().numTensors;
    await train({ epochs: 2 });
    await train({ epochs: 1 }, 'step');
    assert.equal(engine.tf.memory().numTensors, before);
  });

  it('writes checkpoints in the layout of PyTorch, with what is needed to use them', async () => {
    const { runDir } = await train({ epochs: 1 });
    const { metadata, tensors } = await readHeader(join(runDir, 'best.safetensors'));
    const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
    assert.deepEqual(shapes.get('conv1.weight'), [24, 3, 3, 3]);
    assert.deepEqual(shapes.get('layer1.0.downsample.0.weight'), [32, 24, 1, 1]);
    assert.deepEqual(shapes.get('fc.weight'), [2, 128]);
    assert.deepEqual(shapes.get('bn1.running_mean'), [24]);
    assert.deepEqual(JSON.parse(metadata.classes ?? ''), ['across', 'down']);
    assert.equal(metadata.epoch, '1');
    assert.match(metadata.preprocessing ?? '', /"image_size":16/);
  });

  it('stops between two steps and saves what it has', async () => {
    const { events, outcome, runDir } = await train({ epochs: 50 }, 'step');
    assert.equal(outcome.status, 'stopped');
    assert.ok(events.filter((event) => event.type === 'step').length < 5);
    assert.equal((await readHeader(join(runDir, 'last.safetensors'))).metadata.epoch, '0');
  });

  it('copies the best checkpoint to where `output` says, inside the volume only', async () => {
    const { outcome } = await train({ epochs: 1, output: 'models/cat.safetensors' });
    assert.equal(outcome.output, join(home, 'models', 'cat.safetensors'));
    assert.equal((await readHeader(join(home, 'models', 'cat.safetensors'))).metadata.recipe, 'classifier');
    await assert.rejects(train({ output: '../out.safetensors' }), /output: .*inside the outputs volume/);
    await assert.rejects(train({ output: 'model.pt' }), /output: expected the name of a \.safetensors file/);
  });

  it('takes batches that do not divide the data, and batches of one', async () => {
    const { outcome } = await train({ epochs: 1, batch_size: 63 });
    assert.equal(outcome.status, 'completed');
    const single = await train({ epochs: 1, batch_size: 1, val_split: 0.9 });
    assert.equal(single.outcome.status, 'completed');
  });
});
