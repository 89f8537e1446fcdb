import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerClient } from '../../src/client/containerClient';
import type { ParameterValues } from '../../src/protocol/parameters';
import { ErrorCode } from '../../src/protocol/rpc';
import { LocalTarget } from '../../src/targets/local/localTarget';
import type { Following } from './support/following';
import { Place, makeImages } from './support/place';
import { untilStatus } from './support/waiting';

describe('bad input', () => {
  let place: Place;
  let client: ContainerClient;
  before(async () => {
    place = await Place.make();
    client = place.client();
  });
  afterEach(async () => {
    const next = await place.train(client);
    assert.equal((await next.result()).status, 'completed', 'the next run works');
  });
  after(() => place.dispose());

  async function folder(name: string, counts: Record<string, number> = {}): Promise<string> {
    const dir = join(place.root, name);
    await mkdir(dir, { recursive: true });
    await makeImages(dir, counts);
    return dir;
  }

  /** Trains, and expects a failure that the run, its log and its record tell in the same words. */
  async function failure(
    values: ParameterValues,
  ): Promise<{ code: string; message: string; run: Following }> {
    const run = await place.train(client, values);
    const { status, output, error } = await run.result();
    assert.equal(status, 'failed');
    assert.equal(output, null);
    assert.ok(error);
    assert.ok(run.all('log').some(({ level, text }) => level === 'error' && text === error.message));
    await untilStatus(client, (next) => next.run === null);
    const record = await place.volume.readRecord(await place.runDir(run.runId));
    assert.equal(record?.state, 'failed');
    assert.deepEqual(record.result?.error, error);
    return { ...error, run };
  }

  async function refusal(values: ParameterValues, recipe = 'classifier'): Promise<string> {
    const before = (await place.volume.listRuns()).length;
    let message = '';
    await assert.rejects(
      client.request('train', { recipe, params: { ...place.params(), ...values } }),
      (error: Error & { code?: unknown }) => {
        message = error.message;
        return error.code === ErrorCode.badParameters;
      },
    );
    assert.equal((await place.volume.listRuns()).length, before, 'a refused run leaves nothing behind');
    return message;
  }

  it('a folder that is missing, empty or has one class', async () => {
    for (const [dir, expected] of [
      [join(place.root, 'not here'), /not here" does not exist\. Check the path/],
      [await folder('empty'), /empty" is empty\. Expected one sub folder of images/],
      [
        await folder('one', { cat: 3 }),
        /has images of one class only, "cat"\..*Add images of at least two classes/,
      ],
      [await folder('no images', { cat: 0, other: 0 }), /holds no images/],
      [join(place.images, 'cat', '0.png'), /is a file, not a folder/],
    ] as const) {
      const { code, message } = await failure({ data_dir: dir });
      assert.equal(code, 'data');
      assert.match(message, expected);
      assert.ok(message.includes(dir), message);
    }
  });

  it('a corrupt image among good ones, which is skipped, counted and named', async () => {
    const dir = await folder('mixed', { cat: 6, other: 6 });
    const corrupt = join(dir, 'cat', 'kaputt "ä".png');
    await writeFile(corrupt, Buffer.from('\x89PNG\r\n\x1a\nand then nothing', 'latin1'));
    const run = await place.train(client, { data_dir: dir });
    assert.equal((await run.result()).status, 'completed');
    const [dataset] = run.all('dataset');
    assert.deepEqual(
      dataset?.skipped.map(({ path }) => path),
      [corrupt],
    );
    assert.deepEqual(dataset.classes, [
      { name: 'cat', images: 6 },
      { name: 'other', images: 6 },
    ]);
    assert.equal(dataset.train + dataset.val, 12);
    const warning = run.all('log').find(({ level }) => level === 'warning');
    assert.match(warning?.text ?? '', /1 of 13 images were skipped/);
    assert.ok(warning?.text.includes(corrupt));
  });

  it('corrupt images only', async () => {
    const dir = await folder('corrupt', { cat: 0, other: 0 });
    for (const name of ['cat/a.jpg', 'other/b.webp', 'other/c.png']) {
      await writeFile(join(dir, name), 'no image');
    }
    const { code, message } = await failure({ data_dir: dir });
    assert.equal(code, 'data');
    assert.match(message, /None of the images of "cat", "other".*can be used.*Replace these images/);
  });

  it('parameters that cannot be', async () => {
    assert.match(
      await refusal({ batch_size: 0 }),
      /^batch_size: expected a whole number of at least 1.*, got 0$/,
    );
    assert.match(
      await refusal({ backbone: 'resnet9000' }),
      /^backbone: expected one of auto, tiny_cnn.*, got "resnet9000"$/,
    );
    assert.match(
      await refusal({ learning: 1 }),
      /^learning: unknown parameter; "classifier" takes data_dir, epochs/,
    );
    assert.match(await refusal({ epochs: '3' }), /^epochs: expected a whole number.*, got "3"$/);
    assert.match(
      await refusal({ lr: -1, val_split: 1 }),
      /^lr: .*\nval_split: expected a number above 0 and below 1, got 1$/,
    );
    assert.match(await refusal({}, 'diffusion'), /There is no recipe "diffusion"/);
  });

  it('a learning rate that is far too high: numbers to the end, or an end that says so', async () => {
    const run = await place.train(client, { lr: 10, epochs: 8, warmup_epochs: 0, gradient_clip: 0 });
    const { status, error } = await run.result();
    if (status === 'failed') {
      assert.equal(error?.code, 'diverged');
      assert.match(error.message, /Train with a lower lr \(it is 10\)/);
    } else {
      assert.equal(run.all('epoch').length, 8);
    }
  });

  it('volumes that cannot be', () => {
    const { bundleDir, outputsDir, dataDir } = place;
    const file = join(place.images, 'cat', '0.png');
    for (const [volume, paths] of [
      ['outputs', { outputsDir: join(file, 'outputs'), dataDir }],
      ['outputs', { outputsDir: file, dataDir }],
      ['data', { outputsDir, dataDir: join(file, 'data') }],
    ] as const) {
      assert.throws(
        () => LocalTarget.open({ bundleDir, ...paths }),
        (error: Error) => {
          assert.equal(error.name, 'ContainerStartError');
          assert.match(
            error.message,
            new RegExp(`The ${volume} volume ".*0\\.png.*" cannot be written.*choose another`),
          );
          return true;
        },
      );
    }
  });

  it('an output outside of the volume, by dots, as an absolute path or through a link', async () => {
    const outside = await folder('outside');
    await mkdir(place.outputsDir, { recursive: true });
    await symlink(outside, join(place.outputsDir, 'link'));
    for (const output of [
      '../x.safetensors',
      join(outside, 'x.safetensors'),
      'link/x.safetensors',
      'link/../../x.safetensors',
      'checkpoints/../../x.safetensors',
    ]) {
      const { code, message } = await failure({ output });
      assert.equal(code, 'parameters');
      assert.match(
        message,
        /^output: expected a path inside the outputs volume; ".*" is not inside /,
        output,
      );
    }
    assert.match((await failure({ output: 'best.pt' })).message, /expected the name of a \.safetensors file/);
  });
});
