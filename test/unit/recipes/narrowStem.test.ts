import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluate } from '../../../src/container/evaluate/evaluate';
import { Learners } from '../../../src/container/parallel/learners';
import { createClassifier } from '../../../src/container/recipes/classifier/classifier';
import type { Recipe } from '../../../src/container/recipes/recipe';
import { loadBoth, wasmDir } from '../engines/support';
import type { FinishedRun } from './classifierRuns';
import { SIDE, epochsOf, stripes, trainRun } from './classifierRuns';
import { NARROW, stemShape, writeNarrowed } from './narrowStem';

/** Checkpoints of tiny_cnn that were written when its stem had fewer channels. */
describe('a checkpoint with a narrower stem', () => {
  let home = '';
  let old = '';
  let recipe: Recipe;
  const WIDE = [24, 3, 3, 3];
  const OLD = [NARROW, 3, 3, 3];

  before(async () => {
    const engine = (await loadBoth()).wasm;
    home = await mkdtemp(join(tmpdir(), 'narrow-'));
    old = join(home, 'old');
    await stripes(join(home, 'images'), 20);
    recipe = createClassifier({
      engine,
      learners: new Learners(engine),
      wasmDir,
      dataDir: join(home, 'data'),
    });
    const { runDir } = await train({});
    assert.deepEqual(await stemShape(join(runDir, 'best.safetensors')), WIDE);
    await mkdir(old);
    for (const file of ['best.safetensors', 'last.safetensors']) {
      await writeNarrowed(join(runDir, file), join(old, file));
    }
  });
  after(() => rm(home, { recursive: true, force: true }));

  const train = (given: Record<string, string | number>): Promise<FinishedRun> =>
    trainRun(recipe, home, {
      data_dir: join(home, 'images'),
      image_size: SIDE,
      epochs: 1,
      batch_size: 8,
      lr: 1e-3,
      ...given,
    });

  it('is gone on with, and its width stays', async () => {
    const { runDir, events } = await train({ resume: old, epochs: 2 });
    assert.deepEqual(
      epochsOf(events).map(({ epoch }) => epoch),
      [2],
    );
    assert.deepEqual(await stemShape(join(runDir, 'last.safetensors')), OLD);
  });

  it('can be started from, after which a fresh run is wide again', async () => {
    const started = await train({ init_from: join(old, 'best.safetensors') });
    assert.deepEqual(await stemShape(join(started.runDir, 'best.safetensors')), OLD);
    const fresh = await train({});
    assert.deepEqual(await stemShape(join(fresh.runDir, 'best.safetensors')), WIDE);
  });

  it('can be evaluated', async () => {
    const { images } = await evaluate({
      checkpoint: join(old, 'best.safetensors'),
      dataDir: join(home, 'images'),
      split: 'all',
      dataVolume: join(home, 'data'),
      wasmDir,
      enginesDir: join(home, 'none'),
      engine: 'wasm',
      log: () => undefined,
      stop: new AbortController().signal,
    });
    assert.equal(images, 40);
  });
});
