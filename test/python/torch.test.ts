import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePng } from '../../src/container/data/pngEncode';
import { imagenetPreprocessing } from '../../src/container/data/batch';
import { loadDataset } from '../../src/container/data/dataset';
import { scanImageFolder } from '../../src/container/data/imageFolder';
import { splitByClass } from '../../src/container/data/split';
import { whiteningStem } from '../../src/container/recipes/classifier/stem';
import { readHeader, readTensors } from '../../src/volume/safetensors';
import { NARROW, stemShape, writeNarrowed } from '../unit/recipes/narrowStem';
import { needsTorch } from './support/interpreters';
import { Folder, PythonTrainer } from './support/trainer';
import { MODEL, DATASET, TRAIN } from './support/unseenScript';

function makeImages(dir: string, images: number): void {
  for (const [index, name] of ['cat', 'other'].entries()) {
    mkdirSync(join(dir, name), { recursive: true });
    for (let image = 0; image < images; image += 1) {
      const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, at) =>
        at % 3 === index ? 210 : 60 + ((at * (image + 1)) % 60),
      );
      writeFileSync(join(dir, name, `${image}.png`), encodePng(16, 16, pixels));
    }
  }
}

describe('a script that knows nothing of Tiny Cats', () => {
  let trainer: PythonTrainer;
  before(async function () {
    const python = await needsTorch(this);
    const folder = new Folder({ 'src/train.py': TRAIN, 'src/model.py': MODEL, 'src/dataset.py': DATASET });
    makeImages(folder.file('images'), 8);
    trainer = PythonTrainer.ofFile(python, folder, 'src/train.py:main');
  });
  after(() => trainer.dispose());
  const PARAMS = { data_dir: 'images', epochs: 2, batch_size: 4, workers: 1, output_dir: 'out' };

  it('trains by its name alone: metrics as rows, its files as checkpoints, its workers gone', async () => {
    const messages = await trainer.ready();
    const phases = JSON.stringify(messages.filter(({ type }) => type === 'phase'));
    assert.match(phases, /"torch".*"torchvision".*"src\/train.py".*"device initialisation"/);
    const run = await trainer.run(PARAMS);
    run.assertStatus('completed');
    assert.ok(run.hasStepped);
    const rows = run.events('epoch');
    assert.deepEqual(
      rows.map(({ epoch, epochs }) => [epoch, epochs]),
      [
        [1, 2],
        [2, 2],
      ],
    );
    for (const row of rows) {
      for (const name of ['train_loss', 'train_acc', 'val_loss', 'val_acc', 'lr', 'time_s']) {
        assert.equal(typeof row[name], 'number', `${name} of ${JSON.stringify(row)}`);
      }
      assert.ok(Number(row.val_acc) <= 1);
    }
    const files = run.events('checkpoint').map(({ file }) => file);
    assert.ok(files.includes('files/out/best.pt') && files.includes('files/out/last.pt'), files.join());
    assert.ok(readdirSync(join(run.runDir, 'files', 'out')).includes('best.pt'));
    assert.equal(run.ended.val_acc, Math.max(...rows.map(({ val_acc }) => Number(val_acc))));
  });

  it('is stopped as it wants to be, by its own signal handler', async () => {
    const started = await trainer.start({ ...PARAMS, epochs: 1000, workers: 0 });
    await started.until((message) => JSON.stringify(message).includes('"type":"epoch"'));
    trainer.stop();
    const run = await started.ended();
    run.assertStatus('stopped');
    assert.ok(run.lines().some((line) => String(line).includes('stopping after this batch')));
  });
});

const CLASSIFIER = {
  epochs: 3,
  batch_size: 8,
  lr: 1e-3,
  backbone: 'tiny_cnn',
  output: '',
  num_workers: 0,
  pretrained: false,
  mixed_precision: true,
  gradient_clip: 1,
  warmup_epochs: 1,
  seed: 42,
  image_size: 16,
  val_split: 0.2,
  augmentation: 'standard',
  early_stopping_patience: 0,
  init_from: '',
  resume: '',
};
const DIT = {
  steps: 6,
  batch_size: 4,
  lr: 1e-3,
  image_size: 12,
  patch_size: 3,
  width: 16,
  depth: 2,
  heads: 2,
  output: 'drawn.safetensors',
  resume: '',
  sample_interval: 3,
  sample_steps: 2,
  guidance_scale: 3.5,
  class_dropout: 0.1,
  ema_decay: 0.998,
  warmup_steps: 2,
  weight_decay: 0.01,
  gradient_clip: 1,
  gradient_accumulation: 2,
  num_workers: 0,
  seed: 42,
};

describe('our own recipes in PyTorch', () => {
  let trainer: PythonTrainer;
  let data_dir: string;
  before(async function () {
    const python = await needsTorch(this);
    const folder = new Folder({});
    data_dir = folder.file('images');
    makeImages(data_dir, 10);
    trainer = new PythonTrainer(python, folder, { kind: 'torch', interpreter: python });
  });
  after(() => trainer.dispose());
  const withoutTimes = (rows: readonly Record<string, unknown>[]) =>
    rows.map(({ epoch, train_loss, val_loss, val_acc, lr }) => ({
      epoch,
      train_loss,
      val_loss,
      val_acc,
      lr,
    }));

  it('the classifier goes on exactly where it was stopped', async () => {
    const params = { ...CLASSIFIER, data_dir };
    const whole = await trainer.run(params, { recipe: 'classifier' });
    whole.assertStatus('completed');
    const started = await trainer.start(params, { recipe: 'classifier' });
    await started.until((message) => JSON.stringify(message).includes('"type":"epoch"'));
    trainer.stop();
    const part = await started.ended();
    part.assertStatus('stopped');
    const rest = await trainer.run(params, { recipe: 'classifier', resumeDir: part.runDir });
    rest.assertStatus('completed');
    const rows = withoutTimes(whole.events('epoch'));
    assert.deepEqual(withoutTimes([...part.events('epoch'), ...rest.events('epoch')]), rows);
    const { metadata } = await readHeader(join(rest.runDir, 'best.safetensors'));
    assert.deepEqual(
      [metadata.recipe, metadata.backbone, metadata.engine, metadata.classes],
      ['classifier', 'tiny_cnn', 'torch', '["cat", "other"]'],
    );
  });

  it('begins with the stem that the embedded engines begin with', async () => {
    const params = { ...CLASSIFIER, data_dir, epochs: 1, lr: 1e-12 };
    const run = await trainer.run(params, { recipe: 'classifier' });
    run.assertStatus('completed');
    const { data } = (await readTensors(join(run.runDir, 'best.safetensors'))).get('conv1.weight') ?? {};
    const dataset = await loadDataset(await scanImageFolder(data_dir), {
      imageSize: params.image_size,
      wasmDir: 'not needed for PNG',
      cacheDir: join(trainer.folder.root, 'cache'),
      log: () => undefined,
    });
    const { train } = splitByClass(dataset.labels, params.val_split, params.seed);
    const preprocessing = imagenetPreprocessing;
    const own = (await whiteningStem({ dataset, train, preprocessing, channels: 24 })).data;
    await dataset.close();
    assert.equal(data?.length, own.length);
    // An axis may point either way: what comes first of its two signs is left open.
    for (let pair = 0; pair < own.length; pair += 54) {
      const difference = (sign: number) =>
        Math.max(
          ...own
            .subarray(pair, pair + 27)
            .map((value, i) => Math.abs(value - sign * (data[pair + i] ?? NaN))),
        );
      assert.ok(Math.min(difference(1), difference(-1)) < 1e-3, `axis ${pair / 54}`);
    }
  });

  it('starts from a checkpoint with a narrower stem', async () => {
    const params = { ...CLASSIFIER, data_dir, epochs: 1 };
    const wide = await trainer.run(params, { recipe: 'classifier' });
    const old = join(wide.runDir, 'old.safetensors');
    await writeNarrowed(join(wide.runDir, 'best.safetensors'), old);
    const run = await trainer.run({ ...params, pretrained: old }, { recipe: 'classifier' });
    run.assertStatus('completed');
    assert.deepEqual(await stemShape(join(run.runDir, 'best.safetensors')), [NARROW, 3, 3, 3]);
  });

  it('TinyDiT shows samples and saves its averaged weights', async () => {
    const run = await trainer.run({ ...DIT, data_dir }, { recipe: 'dit' });
    run.assertStatus('completed');
    assert.deepEqual(
      run.events('sample').map(({ step, file }) => [step, file]),
      [
        [3, 'samples/step-000003.png'],
        [6, 'samples/step-000006.png'],
      ],
    );
    assert.equal(run.ended.output, join(trainer.folder.outputsDir, 'drawn.safetensors'));
    const { metadata, tensors } = await readHeader(join(run.runDir, 'best.safetensors'));
    assert.equal(metadata.weights, 'moving average');
    assert.ok(tensors.some(({ name }) => name === 'blocks.1.adaLN_modulation.1.weight'));
  });

  it('says what is wrong with the data', async () => {
    const run = await trainer.run({ ...CLASSIFIER, data_dir: '/nowhere' }, { recipe: 'classifier' });
    assert.match(JSON.stringify(run.ended.error), /"code":"data".*\/nowhere.*does not exist/);
  });
});
