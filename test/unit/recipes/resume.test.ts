import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { RunEventBody } from '../../../src/protocol/events';
import type { ParameterValues } from '../../../src/protocol/parameters';
import type { Engine } from '../../../src/container/engines/engine';
import { Learners } from '../../../src/container/parallel/learners';
import { createClassifier } from '../../../src/container/recipes/classifier/classifier';
import type { Recipe } from '../../../src/container/recipes/recipe';
import { readHeader, readTensors } from '../../../src/volume/safetensors';
import { loadBoth, wasmDir } from '../engines/support';
import type { FinishedRun } from './classifierRuns';
import { SIDE, epochsOf, logOf, stripes, trainRun } from './classifierRuns';

describe('going on with a run of the classifier', () => {
  let home = '';
  let recipe: Recipe;
  let params: ParameterValues;
  let whole: FinishedRun;

  before(async () => {
    const engine: Engine = (await loadBoth()).wasm;
    home = await mkdtemp(join(tmpdir(), 'resume-'));
    await stripes(join(home, 'images'), 30);
    recipe = createClassifier({
      engine,
      learners: new Learners(engine),
      wasmDir,
      dataDir: join(home, 'data'),
    });
    params = { data_dir: join(home, 'images'), image_size: SIDE, epochs: 3, batch_size: 8, lr: 1e-3 };
    whole = await trainRun(recipe, home, params);
  });
  after(() => rm(home, { recursive: true, force: true }));

  const train = (given: ParameterValues, stopAt?: (event: RunEventBody) => boolean): Promise<FinishedRun> =>
    trainRun(recipe, home, given, stopAt);

  /** Trains until `stopAt`, then something else, then goes on. */
  async function interrupted(stopAt: (event: RunEventBody) => boolean): Promise<FinishedRun> {
    const first = await train(params, stopAt);
    assert.equal(first.outcome.status, 'stopped');
    await train({ ...params, epochs: 1, seed: 9 });
    return train({ epochs: 3, resume: basename(first.runDir) });
  }

  async function assertSameEnd(run: FinishedRun): Promise<void> {
    assert.equal(run.outcome.status, 'completed');
    assert.equal(run.outcome.val_acc, whole.outcome.val_acc);
    const expected = epochsOf(whole.events);
    assert.deepEqual(epochsOf(run.events).at(-1), expected.at(-1));
    for (const file of ['last.safetensors', 'best.safetensors']) {
      assert.deepEqual(
        await readTensors(join(run.runDir, file)),
        await readTensors(join(whole.runDir, file)),
        file,
      );
    }
  }

  it('ends with the same numbers and weights, bit for bit, when it was stopped between two steps', async () => {
    // Steps are told of a few times a second; the first of an epoch always is.
    await assertSameEnd(await interrupted((event) => event.type === 'step' && event.epoch === 2));
  });

  it('does so when it was stopped at the end of an epoch, before validation', async () => {
    await assertSameEnd(
      await interrupted((event) => event.type === 'step' && event.epoch === 2 && event.step === event.steps),
    );
  });

  it('does so when it was stopped in the first step, and again', async () => {
    const first = await train(params, (event) => event.type === 'step');
    const second = await train({ epochs: 3, resume: first.runDir }, (event) => event.type === 'epoch');
    await assertSameEnd(await train({ epochs: 3, resume: second.runDir }));
  });

  it('tells the score of the whole epoch, steps before the stop included', async () => {
    const run = await interrupted((event) => event.type === 'step' && event.epoch === 1);
    assert.deepEqual(epochsOf(run.events), epochsOf(whole.events));
  });

  it('keeps the state in the last checkpoint alone', async () => {
    const names = async (file: string) =>
      (await readHeader(join(whole.runDir, file))).tensors.map(({ name }) => name);
    assert.ok((await names('last.safetensors')).includes('optimizer/conv1.weight/m'));
    assert.ok((await names('best.safetensors')).every((name) => !name.startsWith('optimizer')));
  });

  it('trains a finished run further when it is given more epochs', async () => {
    const { outcome, events } = await train({ epochs: 4, resume: whole.runDir });
    assert.equal(outcome.status, 'completed');
    assert.deepEqual(
      events.flatMap((event) => (event.type === 'epoch' ? [event.epoch] : [])),
      [4],
    );
    const none = await train({ epochs: 3, resume: whole.runDir });
    assert.equal(none.outcome.val_acc, whole.outcome.val_acc);
    assert.match(logOf(none.events), /give more epochs/);
  });

  it('refuses other images and folders without a run', async () => {
    await assert.rejects(train({ resume: 'nowhere' }), /resume: the run cannot be gone on with/);
    await assert.rejects(train({ resume: '20250102-030405-abcdef' }), /resume: there is no run "20250102/);
    await stripes(join(home, 'moved'), 20);
    const small = await train({ ...params, epochs: 1, data_dir: join(home, 'moved') });
    await stripes(join(home, 'moved'), 21);
    await assert.rejects(train({ resume: small.runDir }), /resume: the run had other images \(20 of across/);
  });

  it('starts a new run from the weights of a checkpoint, with a new head for other classes', async () => {
    const init_from = join(whole.runDir, 'last.safetensors');
    const again = await train({ ...params, epochs: 1, init_from });
    assert.match(logOf(again.events), /Took \d+ tensors from .*last\.safetensors\.$/m);
    const fresh = epochsOf(whole.events)[0];
    const begun = epochsOf(again.events)[0];
    assert.ok(fresh?.train_loss !== undefined && begun?.train_loss !== undefined);
    assert.ok(begun.train_loss < fresh.train_loss);
    await stripes(join(home, 'three'), 10);
    await stripes(join(home, 'three', 'more'), 5);
    const other = await train({ ...params, epochs: 1, init_from, data_dir: join(home, 'three') });
    assert.match(logOf(other.events), /The last layer \(fc\.weight, fc\.bias\) is new/);
  });

  it('ends early when it gets no better', async () => {
    const { events, outcome } = await train({
      ...params,
      epochs: 50,
      lr: 1e-9,
      early_stopping_patience: 2,
    });
    assert.equal(outcome.status, 'completed');
    assert.ok(epochsOf(events).length < 50);
    assert.match(logOf(events), /Ended early: no better validation accuracy in 2 epochs/);
  });
});
