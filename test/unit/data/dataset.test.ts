import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../../src/container/data/dataError';
import { loadDataset, type Dataset, type LoadOptions } from '../../../src/container/data/dataset';
import { scanImageFolder } from '../../../src/container/data/imageFolder';
import { encodePng } from '../../../src/container/data/pngEncode';
import { makeJpeg, makeWasmDir, temporaryFolder, writeTree } from './fixtures';

/** A 4 x 4 PNG of one colour. */
function plain(...colour: [number, number, number]): Buffer {
  return encodePng(
    4,
    4,
    Uint8Array.from({ length: 48 }, (_, i) => colour[i % 3] ?? 0),
  );
}

/** The images of a data set in memory. */
function imagesOf({ images }: Dataset): Uint8Array {
  assert.ok(images, 'the images are not in memory');
  return images;
}

describe('loadDataset', () => {
  const temporary = temporaryFolder();
  let wasmDir = '';
  let counter = 0;
  before(() => {
    wasmDir = makeWasmDir(temporary.path);
  });
  after(() => temporary.remove());

  type Setup = {
    dir: string;
    cacheDir: string;
    log: string[];
    load: (options?: Partial<LoadOptions>) => Promise<Dataset>;
  };

  /** A data folder of these files, with a cache and a log of its own. */
  function setUp(files: Record<string, Uint8Array | string>): Setup {
    const dir = join(temporary.path, `"ネコ" & Söhne ${counter++}`);
    mkdirSync(dir);
    writeTree(dir, files);
    const cacheDir = `${dir} cache`;
    const log: string[] = [];
    const load: Setup['load'] = async (options) => {
      const dataset = await loadDataset(await scanImageFolder(dir), {
        imageSize: 4,
        wasmDir,
        cacheDir,
        log: (level, text) => log.push(`${level}: ${text}`),
        ...options,
      });
      await dataset.cached;
      return dataset;
    };
    return { dir, cacheDir, log, load };
  }

  it('skips, counts and names bad images among good ones', async () => {
    const jpeg = await makeJpeg(40, 30, () => [200, 10, 10]);
    const { load, log, dir } = setUp({
      'cat/1.png': plain(1, 2, 3),
      'cat/2.jpg': jpeg.subarray(0, jpeg.length >> 1),
      'cat/3.png': 'this is text',
      'cat/4.jpg': plain(4, 5, 6),
      'other/1.jpg': '',
      'other/2.jpg': jpeg,
    });
    for (const expectedFromCache of [false, true]) {
      log.length = 0;
      const dataset = await load();
      assert.equal(dataset.fromCache, expectedFromCache);
      assert.deepEqual(
        dataset.skipped.map(({ path }) => path),
        ['cat/2.jpg', 'cat/3.png', 'other/1.jpg'].map((path) => join(dir, ...path.split('/'))),
      );
      assert.deepEqual([dataset.count, [...dataset.labels], dataset.countsPerClass], [3, [0, 0, 1], [2, 1]]);
      assert.equal(imagesOf(dataset).length, 3 * 48);
      assert.deepEqual(
        [...imagesOf(dataset).subarray(0, 3), ...imagesOf(dataset).subarray(48, 51)],
        [1, 2, 3, 4, 5, 6],
      );
      assert.equal(log.length, 1);
      assert.match(
        log[0] ?? '',
        /^warning: 3 of 6 images were skipped:\n.*2\.jpg": corrupt image: Premature end/,
      );
    }
  });

  it('names the first ten bad images only, and keeps all', async () => {
    const bad = Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`cat/${i}.png`, 'bad']));
    const { load, log } = setUp({ ...bad, 'cat/a.png': plain(1, 1, 1), 'other/a.png': plain(2, 2, 2) });
    const dataset = await load();
    assert.equal(dataset.skipped.length, 14);
    assert.equal(log.join('\n').split('\n').length, 12);
    assert.match(log.join(), /and 4 more/);
  });

  it('refuses a class that loses all its images, from the cache too', async () => {
    const { load } = setUp({
      'cat/0.png': '',
      'cat/1.png': plain(1, 1, 1),
      'dog/1.png': 'bad',
      'other/1.png': plain(2, 2, 2),
    });
    for (let i = 0; i < 2; i++) {
      await assert.rejects(load(), (error) => {
        assert.ok(error instanceof DataError && error.code === 'class-without-images');
        assert.match(error.message, /"dog".*neither a JPEG/);
        return true;
      });
    }
  });

  it('refuses what fits neither memory nor disk', async () => {
    const { load, cacheDir } = setUp({ 'a/1.png': plain(1, 1, 1), 'b/1.png': plain(1, 1, 1) });
    writeFileSync(cacheDir, 'a file where the folder should be');
    await assert.rejects(load({ memoryLimitBytes: 95 }), (error) => {
      assert.ok(error instanceof DataError && error.code === 'dataset-too-large');
      assert.match(error.message, /^2 images of 4 x 4 pixels.*cannot be kept in/);
      return true;
    });
  });

  it('skips a file that vanished, and looks at the folder again next time', async () => {
    const { dir, load, cacheDir } = setUp({
      'a/1.png': plain(1, 1, 1),
      'a/2.png': plain(9, 9, 9),
      'b/1.png': plain(1, 1, 1),
    });
    const folder = await scanImageFolder(dir);
    rmSync(join(dir, 'a', '2.png'));
    const dataset = await loadDataset(folder, { imageSize: 4, wasmDir, cacheDir, log: () => undefined });
    assert.match(dataset.skipped[0]?.reason ?? '', /cannot be read/);
    await dataset.cached;
    assert.equal((await load()).fromCache, false);
  });

  describe('with a cache', () => {
    const files = { 'a/1.png': plain(1, 2, 3), 'b/1.png': plain(4, 5, 6) };
    const cacheFile = (cacheDir: string): string => join(cacheDir, readdirSync(cacheDir)[0] ?? '');

    it('gives the same images again, per size and until a file changes', async () => {
      const { dir, load } = setUp(files);
      const first = await load();
      const again = await load();
      assert.deepEqual([first.fromCache, again.fromCache], [false, true]);
      assert.deepEqual(again.images, first.images);
      assert.equal((await load({ imageSize: 2 })).fromCache, false);
      writeFileSync(join(dir, 'a', '1.png'), plain(7, 8, 9));
      utimesSync(join(dir, 'a', '1.png'), 5, 5);
      const changed = await load();
      assert.deepEqual([changed.fromCache, [...imagesOf(changed).subarray(0, 3)]], [false, [7, 8, 9]]);
    });

    it('makes a cut-off, damaged or foreign cache file again', async () => {
      const { load, cacheDir } = setUp(files);
      const { images } = await load();
      const whole = readFileSync(cacheFile(cacheDir));
      const spoil: (() => void)[] = [
        ...[0, 7, 100, whole.length - 1].map((length) => () => truncateSync(cacheFile(cacheDir), length)),
        () => writeFileSync(cacheFile(cacheDir), Buffer.concat([whole, Buffer.of(0)])),
        ...[0, 95, whole.length - 200, whole.length - 45].map(
          (at) => () =>
            writeFileSync(
              cacheFile(cacheDir),
              whole.map((byte, i) => (i === at ? byte ^ 1 : byte)),
            ),
        ),
        () => writeFileSync(cacheFile(cacheDir), Buffer.alloc(whole.length, 0xff)),
      ];
      for (const damage of spoil) {
        damage();
        const dataset = await load();
        assert.equal(dataset.fromCache, false);
        assert.deepEqual(dataset.images, images);
        assert.equal((await load()).fromCache, true);
      }
    });

    it('goes on without a cache that cannot be written', async () => {
      const { load, log, cacheDir } = setUp(files);
      writeFileSync(cacheDir, 'a file where the folder should be');
      assert.equal((await load()).count, 2);
      assert.match(log.join(), /^warning: The decoded images could not be cached/);
    });

    it('keeps the cache files used last', async () => {
      const { load, cacheDir } = setUp(files);
      mkdirSync(cacheDir);
      for (let i = 0; i < 12; i++) {
        writeFileSync(join(cacheDir, `old-${i}.images`), '');
        utimesSync(join(cacheDir, `old-${i}.images`), i, i);
      }
      writeFileSync(join(cacheDir, 'notes.txt'), 'not ours');
      await load();
      const left = readdirSync(cacheDir);
      assert.equal(left.length, 9);
      assert.ok(
        left.includes('notes.txt') && left.includes('old-11.images') && !left.includes('old-4.images'),
      );
    });
  });

  describe('when stopped', () => {
    it('ends at once if it was stopped before', async () => {
      const { load, cacheDir } = setUp({ 'a/1.png': plain(1, 1, 1), 'b/1.png': plain(1, 1, 1) });
      const reason = new Error('stopped');
      await assert.rejects(load({ signal: AbortSignal.abort(reason) }), reason);
      assert.throws(() => readdirSync(cacheDir), { code: 'ENOENT' });
    });

    it('ends in the middle, and leaves no cache behind', async () => {
      const image = await makeJpeg(600, 600, (x, y) => [x, y, x ^ y]);
      const files = Array.from(
        { length: 40 },
        (_, i) => [`${i % 2 === 0 ? 'a' : 'b'}/${i}.jpg`, image] as const,
      );
      const { load, cacheDir } = setUp(Object.fromEntries(files));
      const controller = new AbortController();
      const seen: number[] = [];
      const onProgress = (done: number): void => {
        seen.push(done);
        // From the event loop, as a stop that comes in over a pipe does.
        setImmediate(() => controller.abort());
      };
      await assert.rejects(load({ signal: controller.signal, onProgress }), { name: 'AbortError' });
      assert.ok((seen.at(-1) ?? 0) < 40, `${seen.at(-1)} images were decoded`);
      assert.deepEqual(existsSync(cacheDir) ? readdirSync(cacheDir) : [], []);
      const whole = await load({ onProgress: (done) => seen.push(done) });
      assert.deepEqual([whole.count, seen.at(-1)], [40, 40]);
    });
  });
});
