import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { imagenetPreprocessing } from '../../../src/container/data/batch';
import { createBatches, type BatchesOptions } from '../../../src/container/data/batches';
import { BatchWorkers } from '../../../src/container/data/batchWorkers';
import { loadDataset, type Dataset } from '../../../src/container/data/dataset';
import { scanImageFolder } from '../../../src/container/data/imageFolder';
import { encodePng } from '../../../src/container/data/pngEncode';
import { Random } from '../../../src/container/data/random';
import { epochOrder } from '../../../src/container/data/split';
import { temporaryFolder, writeTree } from './fixtures';

const SIDE = 16;
const IMAGES = 60;

describe('batch workers', () => {
  const temporary = temporaryFolder();
  const dir = join(temporary.path, 'data');
  const order = epochOrder(
    Int32Array.from({ length: IMAGES }, (_, i) => i),
    3,
    1,
  );
  const started: BatchWorkers[] = [];
  let log: string[] = [];
  let inMemory: Dataset;
  let onDisk: Dataset;

  before(async () => {
    mkdirSync(dir);
    const random = Random.seeded('images of batch workers');
    const picture = (): Buffer =>
      encodePng(
        SIDE,
        SIDE,
        Uint8Array.from({ length: SIDE * SIDE * 3 }, () => random.int(256)),
      );
    const files = Array.from(
      { length: IMAGES },
      (_, i) => [`${i % 2 === 0 ? 'a' : 'b'}/${i}.png`, picture()] as const,
    );
    writeTree(dir, Object.fromEntries(files));
    const load = async (name: string, memoryLimitBytes: number) =>
      loadDataset(await scanImageFolder(dir), {
        imageSize: SIDE,
        wasmDir: 'not needed for PNG',
        cacheDir: join(temporary.path, name),
        log: () => undefined,
        memoryLimitBytes,
      });
    inMemory = await load('one', 1e9);
    onDisk = await load('other', 0);
    assert.equal(onDisk.images, undefined);
  });
  beforeEach(() => (log = []));
  afterEach(() => Promise.all(started.splice(0).map((workers) => workers.end())));
  after(async () => {
    await inMemory.close();
    await onDisk.close();
    temporary.remove();
  });

  /** Workers that listen. */
  async function start(count: number, workerPath?: string): Promise<BatchWorkers> {
    const workers = new BatchWorkers({
      log: (text) => log.push(text),
      ...(workerPath === undefined ? {} : { workerPath }),
    });
    started.push(workers);
    workers.start(count);
    while (workers.ready < count) await delay(5);
    return workers;
  }

  async function collect(dataset: Dataset, more: Partial<BatchesOptions>) {
    const all: { indices: number[]; labels: number[]; images: Float32Array }[] = [];
    const options = { ...imagenetPreprocessing, batchSize: 7, ...more };
    for await (const { indices, labels, images } of createBatches(dataset, order, options)) {
      // Later batches are made while this one is looked at.
      await nextTurn();
      all.push({ indices: [...indices], labels: [...labels], images: images.slice() });
    }
    return all;
  }

  const augmented = (level: 'basic' | 'standard' | 'advanced') => ({
    augmentation: { level, random: Random.seeded('augmentation', 3, 1) },
  });

  it('make the batches that would be made without them, bit for bit, however many they are', async () => {
    const [one, three] = [await start(1), await start(3)];
    for (const more of [{}, augmented('basic'), augmented('standard'), augmented('advanced')]) {
      const expected = await collect(inMemory, more);
      assert.equal(expected.length, 9);
      for (const workers of [one, three]) {
        assert.deepEqual(await collect(inMemory, { ...more, workers }), expected);
        assert.deepEqual(await collect(onDisk, { ...more, workers }), expected);
        assert.deepEqual(await collect(inMemory, { ...more, workers, ahead: 6 }), expected);
        assert.deepEqual(await collect(onDisk, { ...more, workers, firstAlone: true }), expected);
      }
    }
    assert.deepEqual(log, []);
  });

  it('are not ahead of who takes the batches by more than was said', async () => {
    const workers = await start(2);
    let begun = 0;
    const dataset = {
      ...onDisk,
      readImages: (indices: Int32Array, out: Uint8Array): Promise<void> => {
        begun += 1;
        return onDisk.readImages(indices, out);
      },
    };
    const options = { ...imagenetPreprocessing, batchSize: 5, workers, ahead: 3 };
    let taken = 0;
    for await (const { images } of createBatches(dataset, order, options)) {
      taken += 1;
      const before = images.slice();
      // Another job after all that was begun: when it is done, they had the time to go too far.
      await workers.fill({
        imageSize: SIDE,
        options: imagenetPreprocessing,
        images: new Uint8Array(new SharedArrayBuffer(SIDE * SIDE * 3)),
        positions: Int32Array.of(0),
        indices: Int32Array.of(0),
        out: new Float32Array(new SharedArrayBuffer(SIDE * SIDE * 12)),
      });
      assert.ok(begun <= taken + 3, `${begun} begun when ${taken} were taken`);
      assert.deepEqual(images, before);
    }
    assert.equal(taken, 12);
  });

  it('may die: what they leave is done without them, and it is said', async () => {
    const workers = await start(1, join(__dirname, 'dyingBatchWorker.ts'));
    const more = augmented('standard');
    assert.deepEqual(await collect(inMemory, { ...more, workers }), await collect(inMemory, more));
    assert.equal(log.length, 1);
    assert.match(log[0] ?? '', /was lost \(it ended with exit code 3\); training goes on without it/);
    assert.equal(workers.ready, 0);
  });

  it('may never start', async () => {
    const workers = new BatchWorkers({ log: (text) => log.push(text), workerPath: join(dir, 'none.js') });
    workers.start(2);
    const more = augmented('basic');
    assert.deepEqual(await collect(inMemory, { ...more, workers }), await collect(inMemory, more));
    await workers.end();
  });

  it('say what is wrong with a job, and take the next', async () => {
    const workers = await start(1);
    const images = new Uint8Array(new SharedArrayBuffer(SIDE * SIDE * 3)).fill(255);
    const out = new Float32Array(new SharedArrayBuffer(SIDE * SIDE * 12));
    const job = { imageSize: SIDE, options: { mean: [0, 0, 0], std: [1, 1, 1] }, images, out } as const;
    const indices = Int32Array.of(0);
    await assert.rejects(
      workers.fill({ ...job, positions: Int32Array.of(1), indices }),
      /There is no image at 1/,
    );
    assert.equal(await workers.fill({ ...job, positions: Int32Array.of(0), indices }), true);
    assert.ok(out.every((value) => value === 1));
  });
});
