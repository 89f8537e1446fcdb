import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEventBody } from '../../../src/protocol/events';
import type { ParameterValues } from '../../../src/protocol/parameters';
import { encodePng } from '../../../src/container/data/pngEncode';
import { Random } from '../../../src/container/data/random';
import type { Engine } from '../../../src/container/engines/engine';
import { createClassifier } from '../../../src/container/recipes/classifier/classifier';
import type { Outcome, Recipe } from '../../../src/container/recipes/recipe';
import { readHeader, readTensors } from '../../../src/volume/safetensors';
import { loadBoth, wasmDir } from '../engines/support';

const SIDE = 16;

/** Two classes that differ in the direction of their stripes, in random colours. */
async function stripes(dir: string, images: number): Promise<void> {
  const random = Random.seeded('stripes');
  for (const name of ['across', 'down']) {
    await mkdir(join(dir, name), { recursive: true });
    for (let image = 0; image < images; image += 1) {
      const colour = [random.int(200), random.int(200), random.int(200)];
      const pixels = new Uint8Array(SIDE * SIDE * 3);
      for (let pixel = 0; pixel < SIDE * SIDE; pixel += 1) {
        const place = name === 'across' ? Math.floor(pixel / SIDE) : pixel % SIDE;
        const lit = place % 4 < 2 ? 1 : 0.3;
        colour.forEach((value, channel) => {
          pixels[pixel * 3 + channel] = 20 + value * lit + random.int(20);
        });
      }
      await writeFile(join(dir, name, `${image}.png`), encodePng(SIDE, SIDE, pixels));
    }
  }
}

describe('classifier', () => {
  let home = '';
  let engine: Engine;
  let recipe: Recipe;
  let params: ParameterValues;

  before(async () => {
    engine = (await loadBoth()).wasm;
    home = await mkdtemp(join(tmpdir(), 'classifier-'));
    await stripes(join(home, 'images'), 40);
    recipe = createClassifier({ engine, wasmDir, dataDir: join(home, 'data') });
    params = { data_dir: join(home, 'images'), image_size: SIDE, epochs: 4, batch_size: 16, lr: 1e-3 };
  });
  after(() => rm(home, { recursive: true, force: true }));

  async function train(
    given: ParameterValues,
    stopAfter?: RunEventBody['type'],
  ): Promise<{ events: RunEventBody[]; outcome: Outcome; runDir: string }> {
    const runDir = await mkdtemp(join(home, 'run-'));
    const stop = new AbortController();
    const events: RunEventBody[] = [];
    const emit = (event: RunEventBody): void => {
      events.push(event);
      if (event.type === stopAfter) {
        stop.abort();
      }
    };
    const outcome = await recipe.train({
      runId: 'test',
      params: { ...params, ...given },
      runDir,
      outputsDir: home,
      resumeDir: null,
      phase: async (_name, work) => work(),
      stop: stop.signal,
      emit,
      log: (level, text) => emit({ type: 'log', level, text }),
      firstStepDone: () => undefined,
    });
    return { events, outcome, runDir };
  }

  const epochsOf = (events: RunEventBody[]) =>
    events.flatMap((event) =>
      event.type === 'epoch' ? [{ ...event, time_s: 0, images_per_second: 0 }] : [],
    );

  it('learns to tell two kinds of images apart, also images that it never saw', async () => {
    const { events, outcome } = await train({});
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
    assert.deepEqual(shapes.get('conv1.weight'), [16, 3, 3, 3]);
    assert.deepEqual(shapes.get('layer1.0.downsample.0.weight'), [32, 16, 1, 1]);
    assert.deepEqual(shapes.get('fc.weight'), [2, 128]);
    assert.deepEqual(shapes.get('bn1.running_mean'), [16]);
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
