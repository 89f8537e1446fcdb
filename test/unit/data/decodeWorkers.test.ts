import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { loadDataset, type Dataset, type LoadOptions } from '../../../src/container/data/dataset';
import { scanImageFolder } from '../../../src/container/data/imageFolder';
import { encodePng } from '../../../src/container/data/pngEncode';
import { makeJpeg, makeWasmDir, makeWebp, temporaryFolder, writeTree } from './fixtures';

const troubled = join(__dirname, 'troubledDecodeWorker.ts');

describe('loadDataset with decode workers', () => {
  const temporary = temporaryFolder();
  let wasmDir = '';
  let counter = 0;
  before(() => {
    wasmDir = makeWasmDir(temporary.path);
  });
  after(() => temporary.remove());

  type Load = (options: Partial<LoadOptions>) => Promise<Dataset>;

  /** Loads these files, each time without a cache from before. */
  function setUp(files: Record<string, Uint8Array | string>): { load: Load; log: string[] } {
    const dir = join(temporary.path, `data ${counter++}`);
    mkdirSync(dir);
    writeTree(dir, files);
    const log: string[] = [];
    const load: Load = async (options) => {
      const cacheDir = join(temporary.path, `cache ${counter++}`);
      const common = {
        imageSize: 8,
        wasmDir,
        cacheDir,
        log: (level: string, text: string) => log.push(`${level}: ${text}`),
      };
      const dataset = await loadDataset(await scanImageFolder(dir), { ...common, ...options });
      await dataset.cached;
      return dataset;
    };
    return { load, log };
  }

  /** A picture that differs by number. */
  function picture(number: number): Buffer {
    return encodePng(
      9,
      9,
      Uint8Array.from({ length: 243 }, (_, i) => (i * number) % 256),
    );
  }

  /** `a/00.png` and so on, of both classes. */
  function pictures(count: number): Record<string, Uint8Array | string> {
    return Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `${i % 2 === 0 ? 'a' : 'b'}/${String(i).padStart(3, '0')}.png`,
        picture(i),
      ]),
    );
  }

  it('gives the same as one thread does, whatever the number of workers', async () => {
    const jpeg = await makeJpeg(40, 30, (x, y) => [x * 6, y * 8, 90]);
    const { load } = setUp({
      ...pictures(70),
      'a/x.jpg': jpeg,
      'a/cut.jpg': jpeg.subarray(0, jpeg.length >> 1),
      'b/x.webp': await makeWebp(20, 20, (x, y) => [x * 12, y * 12, 30, x * 10]),
      'b/text.png': 'this is text',
    });
    const seen: number[] = [];
    const alone = await load({ decodeWorkers: 0 });
    for (const decodeWorkers of [1, 3]) {
      const together = await load({ decodeWorkers, onProgress: (done) => seen.push(done) });
      assert.deepEqual(together.images, alone.images);
      assert.deepEqual([together.labels, together.skipped], [alone.labels, alone.skipped]);
      assert.deepEqual([together.count, together.decoded, together.skipped.length], [72, 72, 2]);
      assert.equal(seen.at(-1), 74);
    }
  });

  it('loses one image to each crash of a worker', async () => {
    const { load } = setUp({
      ...pictures(60),
      'a/005x.png': 'exit',
      'a/006x.png': 'throw',
      'b/999.png': 'exit',
    });
    const dataset = await load({ decodeWorkers: 2, decodeWorkerPath: troubled });
    assert.deepEqual(
      dataset.skipped.map(({ path }) => basename(path)),
      ['005x.png', '006x.png', '999.png'],
    );
    for (const { reason } of dataset.skipped) assert.match(reason, /^the decoder crashed/);
    assert.equal(dataset.count, 60);
    const whole = await setUp(pictures(60)).load({ decodeWorkers: 0 });
    assert.deepEqual(dataset.images, whole.images);
  });

  it('loses one image to each codec that hangs, whether it computes or waits', async () => {
    const { load } = setUp({ ...pictures(20), 'a/005x.png': 'spin', 'b/006x.png': 'wait' });
    const dataset = await load({ decodeWorkers: 2, decodeWorkerPath: troubled, decodeTimeoutMs: 1500 });
    assert.deepEqual(
      dataset.skipped.map(({ path }) => basename(path)),
      ['005x.png', '006x.png'],
    );
    for (const { reason } of dataset.skipped) assert.equal(reason, 'decoding took longer than 1.5 s');
    assert.equal(dataset.count, 20);
  });

  it('decodes without workers that cannot start, and says so', async () => {
    const { load, log } = setUp(pictures(60));
    const dataset = await load({
      decodeWorkers: 2,
      decodeWorkerPath: join(__dirname, 'notStartingDecodeWorker.ts'),
    });
    assert.equal(dataset.count, 60);
    assert.equal(log.length, 1);
    assert.match(
      log[0] ?? '',
      /^warning: Decode workers do not start.*no room for a thread.*decoded without them/,
    );
  });

  it('fails if a codec cannot be loaded', async () => {
    const { load } = setUp({ ...pictures(2), 'a/x.jpg': await makeJpeg(8, 8, () => [1, 2, 3]) });
    await assert.rejects(
      load({ decodeWorkers: 1, wasmDir: temporary.path }),
      /The jpeg decoder cannot be loaded from/,
    );
  });

  it('ends at once when it is stopped, even while a codec hangs', async () => {
    const { load } = setUp({ ...pictures(40), 'a/000.png': 'spin' });
    const controller = new AbortController();
    const reason = new Error('stopped');
    const options = { decodeWorkers: 2, decodeWorkerPath: troubled, signal: controller.signal };
    const loading = load(options);
    setImmediate(() => controller.abort(reason));
    await assert.rejects(loading, reason);
  });
});
