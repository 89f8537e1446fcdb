import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEventBody } from '../../../../src/protocol/events';
import type { ParameterValues } from '../../../../src/protocol/parameters';
import { decodePng } from '../../../../src/container/data/pngDecode';
import { encodePng } from '../../../../src/container/data/pngEncode';
import type { Engine } from '../../../../src/container/engines/engine';
import { Learners } from '../../../../src/container/parallel/learners';
import { createDit } from '../../../../src/container/recipes/dit/dit';
import { drawCheckpoint } from '../../../../src/container/recipes/dit/drawCheckpoint';
import type { Outcome, Recipe } from '../../../../src/container/recipes/recipe';
import { readHeader, readTensors } from '../../../../src/volume/safetensors';
import { loadBoth, useEngine, wasmDir } from '../../engines/support';

const SIDE = 8;
const SIZES = { image_size: SIDE, patch_size: 2, width: 16, depth: 1, heads: 2 };

/** Two classes of images of one colour: dark and bright. */
async function colours(dir: string): Promise<void> {
  for (const [name, level] of [
    ['bright', 220],
    ['dark', 20],
  ] as const) {
    await mkdir(join(dir, name), { recursive: true });
    for (let image = 0; image < 8; image += 1) {
      const pixels = new Uint8Array(SIDE * SIDE * 3).fill(level + image);
      await writeFile(join(dir, name, `${image}.png`), encodePng(SIDE, SIDE, pixels));
    }
  }
}

describe('dit', () => {
  let home = '';
  let engine: Engine;
  let recipe: Recipe;
  let params: ParameterValues;

  before(async () => {
    engine = (await loadBoth()).wasm;
    useEngine(engine);
    home = await mkdtemp(join(tmpdir(), 'dit-'));
    await colours(join(home, 'images'));
    recipe = createDit({ engine, learners: new Learners(engine), wasmDir, dataDir: join(home, 'data') });
    params = {
      ...SIZES,
      data_dir: join(home, 'images'),
      steps: 12,
      batch_size: 8,
      lr: 3e-3,
      warmup_steps: 2,
      sample_interval: 6,
      sample_steps: 2,
    };
  });
  after(() => rm(home, { recursive: true, force: true }));

  interface Trained {
    events: RunEventBody[];
    outcome: Outcome;
    runDir: string;
  }

  async function train(
    given: ParameterValues = {},
    stopWhen: (event: RunEventBody) => boolean = () => false,
  ): Promise<Trained> {
    const runDir = await mkdtemp(join(home, 'run-'));
    const stop = new AbortController();
    const events: RunEventBody[] = [];
    const emit = (event: RunEventBody): void => {
      events.push(event);
      if (stopWhen(event)) {
        stop.abort();
      }
    };
    const outcome = await recipe.train({
      runId: 'test',
      params: { ...params, ...given },
      runDir,
      resumeDir: null,
      outputsDir: home,
      phase: async (_name, work) => work(),
      stop: stop.signal,
      emit,
      log: (level, text) => emit({ type: 'log', level, text }),
      firstStepDone: () => undefined,
    });
    return { events, outcome, runDir };
  }

  const lossesOf = (events: readonly RunEventBody[]) =>
    events.flatMap((event) => (event.type === 'metrics' ? [event.values.train_loss] : []));
  const tensorsOf = async (path: string) =>
    [...(await readTensors(path))].map(([name, { data }]) => [
      name,
      Buffer.from(data.buffer).toString('hex'),
    ]);

  it('trains, samples and saves, and tells of each', async () => {
    const { events, outcome, runDir } = await train({ output: 'cats.safetensors' });
    assert.deepEqual(outcome, {
      status: 'completed',
      output: join(home, 'cats.safetensors'),
      val_acc: null,
    });
    assert.equal(lossesOf(events).length, 12);
    const samples = events.flatMap((event) => (event.type === 'sample' ? [event] : []));
    assert.deepEqual(
      samples.map(({ step, file }) => [step, file]),
      [
        [6, 'samples/step-000006.png'],
        [12, 'samples/step-000012.png'],
      ],
    );
    assert.deepEqual(new Set(samples[0]?.labels.slice(0, 8)), new Set(['bright']));
    const { width, height } = decodePng(await readFile(join(runDir, 'samples', 'step-000012.png')));
    assert.deepEqual([width, height], [8 * (SIDE + 2) + 2, 2 * (SIDE + 2) + 2]);
    const last = events.findLast((event) => event.type === 'step');
    assert.deepEqual(last?.type === 'step' && [last.span, last.step, last.steps, last.epoch], [
      'run',
      12,
      12,
      6,
    ]);
    const { metadata } = await readHeader(join(home, 'cats.safetensors'));
    assert.equal(metadata.recipe, 'dit');
    assert.equal(metadata.classes, '["bright","dark"]');
    assert.deepEqual([metadata.step, metadata.width, metadata.patch_size], ['12', '16', '2']);
  });

  it('gives the same numbers for the same seed, in a used trainer too, and others for another', async () => {
    const [one, two, other] = [await train(), await train(), await train({ seed: 1 })];
    assert.deepEqual(lossesOf(one.events), lossesOf(two.events));
    assert.deepEqual(
      await tensorsOf(join(one.runDir, 'best.safetensors')),
      await tensorsOf(join(two.runDir, 'best.safetensors')),
    );
    assert.notDeepEqual(lossesOf(one.events), lossesOf(other.events));
  });

  it('stops after the running step, and goes on from there as if it had not been stopped', async () => {
    const whole = await train();
    const stopped = await train({}, (event) => event.type === 'metrics' && event.step === 7);
    assert.equal(stopped.outcome.status, 'stopped');
    assert.equal(lossesOf(stopped.events).length, 7);
    const { metadata } = await readHeader(join(stopped.runDir, 'last.safetensors'));
    const done = 7;
    assert.equal(metadata.step, String(done));
    const resumed = await train({ resume: stopped.runDir });
    assert.equal(resumed.outcome.status, 'completed');
    assert.deepEqual(lossesOf(resumed.events), lossesOf(whole.events).slice(done));
    for (const file of ['best.safetensors', 'last.safetensors']) {
      assert.deepEqual(
        await tensorsOf(join(resumed.runDir, file)),
        await tensorsOf(join(whole.runDir, file)),
      );
    }
    assert.deepEqual(
      await readFile(join(resumed.runDir, 'samples', 'step-000012.png')),
      await readFile(join(whole.runDir, 'samples', 'step-000012.png')),
    );
  });

  it('refuses to go on where there is nothing to go on with', async () => {
    const done = await train();
    await assert.rejects(train({ resume: done.runDir }), /all its 12 steps are done/);
    await assert.rejects(train({ resume: 'nowhere' }), /id or folder of a run/);
    const other = await mkdtemp(join(home, 'other-'));
    await copyFile(join(done.runDir, 'best.safetensors'), join(other, 'last.safetensors'));
    await writeFile(join(other, 'last.safetensors'), 'no weights');
    await assert.rejects(train({ resume: other }), /cannot be gone on with/);
  });

  it('draws with a checkpoint, the same for the same seed', async () => {
    const { runDir } = await train();
    const draw = (options: { className?: string; seed?: number; file?: string }) =>
      drawCheckpoint({
        checkpoint: join(runDir, options.file ?? 'best.safetensors'),
        className: options.className,
        count: 3,
        steps: 2,
        guidanceScale: 2,
        seed: options.seed ?? 1,
        wasmDir,
        enginesDir: home,
        engine: 'wasm',
        log: () => undefined,
        stop: new AbortController().signal,
      });
    const dark = await draw({ className: 'dark' });
    const { width, height } = decodePng(dark);
    assert.deepEqual([width, height], [2 * (SIDE + 2) + 2, 2 * (SIDE + 2) + 2]);
    assert.deepEqual(await draw({ className: 'dark' }), dark);
    assert.notDeepEqual(await draw({ className: 'dark', seed: 2 }), dark);
    assert.notDeepEqual(await draw({ className: 'bright' }), dark);
    decodePng(await draw({ file: 'last.safetensors' }));
    await assert.rejects(draw({ className: 'dog' }), /no class "dog"; it has bright, dark/);
    await assert.rejects(draw({ file: 'samples/step-000006.png' }));
  });

  it('says which sizes do not go together', async () => {
    await assert.rejects(
      train({ patch_size: 3 }),
      /image_size: expected a multiple of the patch size 3, got 8/,
    );
    await assert.rejects(train({ width: 18 }), /width: expected a multiple of 4 and of the 2 heads, got 18/);
  });

  it('fails as diverged where the loss leaves the numbers', async () => {
    await assert.rejects(train({ lr: 10, weight_decay: 1, gradient_clip: 0, steps: 200 }), {
      code: 'diverged',
    });
  });

  it('prepares for sizes and folders that a run will refuse', async () => {
    const phase = async <T>(_name: string, work: () => T | Promise<T>) => work();
    const isAwaited = () => false;
    const wrong = { ...params, patch_size: 3 };
    await recipe.warmUp({ params: wrong, phase, isAwaited });
    await recipe.prepare({ params: { ...wrong, data_dir: join(home, 'none') }, phase, isAwaited });
    await recipe.warmUp({ params, phase, isAwaited });
    await recipe.prepare({ params, phase, isAwaited });
  });
});
