import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluate } from '../../../src/container/evaluate/evaluate';
import type { EvaluatedSplit, Evaluation } from '../../../src/container/evaluate/evaluation';
import { Learners } from '../../../src/container/parallel/learners';
import { createClassifier } from '../../../src/container/recipes/classifier/classifier';
import { writeSafetensors } from '../../../src/volume/safetensors';
import { loadBoth, wasmDir } from '../engines/support';
import type { FinishedRun } from '../recipes/classifierRuns';
import { SIDE, epochsOf, stripes, trainRun } from '../recipes/classifierRuns';

describe('evaluating a checkpoint', () => {
  let home = '';
  let run: FinishedRun;

  before(async () => {
    const engine = (await loadBoth()).wasm;
    home = await mkdtemp(join(tmpdir(), 'evaluate-'));
    await stripes(join(home, 'images'), 30);
    const recipe = createClassifier({
      engine,
      learners: new Learners(engine),
      wasmDir,
      dataDir: join(home, 'data'),
    });
    run = await trainRun(recipe, home, {
      data_dir: join(home, 'images'),
      image_size: SIDE,
      epochs: 2,
      batch_size: 7,
      lr: 1e-3,
      val_split: 0.3,
      seed: 5,
    });
  });
  after(() => rm(home, { recursive: true, force: true }));

  const score = (
    checkpoint: string,
    split: EvaluatedSplit = 'all',
    dataDir = join(home, 'images'),
  ): Promise<Evaluation> =>
    evaluate({
      checkpoint,
      dataDir,
      split,
      dataVolume: join(home, 'data'),
      wasmDir,
      enginesDir: join(home, 'none'),
      engine: 'wasm',
      log: () => undefined,
      stop: new AbortController().signal,
    });

  for (const file of ['last.safetensors', 'best.safetensors']) {
    it(`gives the score that training reported for ${file}`, async () => {
      const evaluation = await score(join(run.runDir, file), 'val');
      const epochs = epochsOf(run.events);
      const reported =
        file === 'last.safetensors'
          ? epochs.at(-1)
          : epochs.find(({ val_acc }) => val_acc === run.outcome.val_acc);
      assert.ok(reported?.val_loss !== undefined);
      assert.equal(evaluation.accuracy, reported.val_acc);
      assert.ok(Math.abs(evaluation.loss - reported.val_loss) < 1e-5);
    });
  }

  it('counts all images, by class and by prediction', async () => {
    const path = join(run.runDir, 'last.safetensors');
    const all = await score(path);
    const [train, val] = [await score(path, 'train'), await score(path, 'val')];
    assert.equal(all.images, 60);
    assert.equal(train.images + val.images, 60);
    assert.equal(train.correct + val.correct, all.correct);
    assert.deepEqual(
      all.classes.map(({ name, images }) => [name, images]),
      [
        ['across', 30],
        ['down', 30],
      ],
    );
    all.classes.forEach(({ correct }, index) => assert.equal(all.confusion[index]?.[index], correct));
    assert.equal(
      all.confusion.flat().reduce((sum, value) => sum + value, 0),
      60,
    );
  });

  it('scores by default what the run validated on, if the folder is its own, else all images', async () => {
    const path = join(run.runDir, 'best.safetensors');
    const own = await score(path, 'auto');
    assert.equal(own.accuracy, run.outcome.val_acc);
    assert.deepEqual([own.split, own.images, own.of_images, own.images_changed], ['val', 18, 60, false]);
    await symlink(join(home, 'images'), join(home, 'link'));
    assert.deepEqual(await score(path, 'auto', join(home, 'link')), own);
    await stripes(join(home, 'elsewhere'), 30);
    const elsewhere = await score(path, 'auto', join(home, 'elsewhere'));
    assert.deepEqual([elsewhere.split, elsewhere.images, elsewhere.images_changed], ['all', 60, false]);
    const added = join(home, 'images', 'down', 'added.png');
    await copyFile(join(home, 'images', 'down', '0.png'), added);
    try {
      const changed = await score(path, 'auto');
      assert.deepEqual([changed.split, changed.of_images, changed.images_changed], ['val', 61, true]);
    } finally {
      await rm(added);
    }
  });

  it('matches classes by name: data with one of them, and data with a strange one', async () => {
    const path = join(run.runDir, 'last.safetensors');
    const all = await score(path);
    await stripes(join(home, 'other'), 30);
    await rm(join(home, 'other', 'across'), { recursive: true });
    const one = await score(path, 'all', join(home, 'other'));
    assert.deepEqual(one.classes[1], all.classes[1]);
    assert.deepEqual(one.classes[0], { name: 'across', images: 0, correct: 0, accuracy: null });
    await stripes(join(home, 'other'), 3);
    await rename(join(home, 'other', 'across'), join(home, 'other', 'zebra'));
    await assert.rejects(
      score(path, 'all', join(home, 'other')),
      /classes that the checkpoint does not know: "zebra"\. It knows "across", "down"/,
    );
  });

  it('refuses what is no checkpoint of a classifier', async () => {
    const path = join(home, 'strange.safetensors');
    await writeSafetensors(path, [], { recipe: 'dreams' });
    await assert.rejects(score(path), /strange\.safetensors is no checkpoint of a classifier/);
  });
});
