import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { imagenetPreprocessing } from '../../../src/container/data/batch';
import { createBatches, type BatchesOptions } from '../../../src/container/data/batches';
import { loadDataset, type Dataset, type LoadOptions } from '../../../src/container/data/dataset';
import { scanImageFolder } from '../../../src/container/data/imageFolder';
import { encodePng } from '../../../src/container/data/pngEncode';
import { Random } from '../../../src/container/data/random';
import { epochOrder } from '../../../src/container/data/split';
import { temporaryFolder, writeTree } from './fixtures';

describe('createBatches', () => {
  const temporary = temporaryFolder();
  const cacheDir = join(temporary.path, 'cache');
  const dir = join(temporary.path, 'data');
  let inMemory: Dataset;
  let onDisk: Dataset;

  before(async () => {
    mkdirSync(dir);
    const picture = (i: number): Buffer =>
      encodePng(
        8,
        8,
        Uint8Array.from({ length: 192 }, (_, k) => (k * (i + 3)) % 256),
      );
    const files = Array.from(
      { length: 50 },
      (_, i) => [`${i % 3 === 0 ? 'a' : 'b'}/${i}.png`, picture(i)] as const,
    );
    writeTree(dir, { ...Object.fromEntries(files), 'a/1x.png': 'this is text' });
    onDisk = await load({ memoryLimitBytes: 51 * 192 - 1, decodeWorkers: 2 });
    inMemory = await load({ memoryLimitBytes: 51 * 192, cacheDir: `${cacheDir} other` });
  });
  after(async () => {
    await onDisk.close();
    await inMemory.close();
    temporary.remove();
  });

  async function load(options: Partial<LoadOptions>): Promise<Dataset> {
    const common = { imageSize: 8, wasmDir: 'not needed for PNG', cacheDir, log: () => undefined };
    return loadDataset(await scanImageFolder(dir), { ...common, ...options });
  }

  const options = (more: Partial<BatchesOptions> = {}): BatchesOptions => ({
    ...imagenetPreprocessing,
    batchSize: 7,
    ...more,
  });

  async function collect(dataset: Dataset, order: Int32Array, more?: Partial<BatchesOptions>) {
    const all: { indices: number[]; labels: number[]; images: Float32Array }[] = [];
    for await (const { indices, labels, images } of createBatches(dataset, order, options(more))) {
      // Later batches are made while this one is looked at.
      await delay(0);
      all.push({ indices: [...indices], labels: [...labels], images: images.slice() });
    }
    return all;
  }

  it('keeps a data set beyond the limit on disk, and finds it there again', async () => {
    assert.deepEqual([onDisk.images, onDisk.count, onDisk.skipped.length], [undefined, 50, 1]);
    assert.ok(inMemory.images);
    const again = await load({ memoryLimitBytes: 1000 });
    assert.deepEqual([again.fromCache, again.images], [true, undefined]);
    await again.close();
  });

  it('gives the same batches from disk as from memory, bit for bit, at every level', async () => {
    const order = epochOrder(
      Int32Array.from({ length: 50 }, (_, i) => i),
      3,
      1,
    );
    for (const level of [undefined, 'basic', 'standard', 'advanced'] as const) {
      const more =
        level === undefined ? {} : { augmentation: { level, random: Random.seeded('augmentation', 3, 1) } };
      const expected = await collect(inMemory, order, more);
      for (const ahead of [1, 2, 5])
        assert.deepEqual(await collect(onDisk, order, { ...more, ahead }), expected);
    }
  });

  it('gives every image of the order once, with its label, the last batch being smaller', async () => {
    const order = epochOrder(
      Int32Array.from({ length: 50 }, (_, i) => i),
      9,
      0,
    );
    const batches = await collect(onDisk, order);
    assert.deepEqual(
      batches.flatMap(({ indices }) => indices),
      [...order],
    );
    assert.deepEqual(
      batches.flatMap(({ labels }) => labels),
      [...order].map((index) => onDisk.labels[index]),
    );
    assert.deepEqual([batches.length, batches.at(-1)?.images.length], [8, 192]);
  });

  it('varies an image the same in whichever batch it comes', async () => {
    const augmentation = { level: 'advanced', random: Random.seeded(1) } as const;
    const [together] = await collect(inMemory, Int32Array.of(4, 9, 2), { augmentation });
    const [alone] = await collect(inMemory, Int32Array.of(2), { augmentation, batchSize: 1 });
    assert.deepEqual(together?.images.slice(384), alone?.images);
  });

  it('can be left early, and refuses images that are not there', async () => {
    for await (const { indices } of createBatches(
      onDisk,
      Int32Array.of(1, 2, 3),
      options({ batchSize: 1 }),
    )) {
      assert.deepEqual([...indices], [1]);
      break;
    }
    await assert.rejects(collect(onDisk, Int32Array.of(50)), RangeError);
    await assert.rejects(onDisk.readImages(Int32Array.of(-1), new Uint8Array(192)), RangeError);
    await assert.rejects(onDisk.readImages(Int32Array.of(0, 1), new Uint8Array(383)), RangeError);
  });

  it('fails, not hangs, if the file is cut off under it', async () => {
    const other = `${cacheDir} cut`;
    const cut = await load({ memoryLimitBytes: 0, cacheDir: other });
    truncateSync(join(other, readdirSync(other)[0] ?? ''), 192 * 10);
    await assert.rejects(collect(cut, Int32Array.of(2, 30)), /ended early/);
    await cut.close();
  });
});
