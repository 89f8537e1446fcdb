import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { loadDataset, type Dataset, type LoadOptions } from '../../../src/container/data/dataset';
import { scanImageFolder } from '../../../src/container/data/imageFolder';
import { encodePng } from '../../../src/container/data/pngEncode';
import { temporaryFolder, writeTree } from './fixtures';

describe('the cache of decoded images', () => {
  const temporary = temporaryFolder();
  let counter = 0;
  after(() => temporary.remove());

  function picture(number: number): Buffer {
    return encodePng(
      4,
      4,
      Uint8Array.from({ length: 48 }, (_, i) => (i * 5 + number) % 256),
    );
  }

  type Load = (dir: string, options?: Partial<LoadOptions>) => Promise<Dataset>;

  /** A folder of eight pictures, one text among them, and what loads folders with one cache. */
  function setUp(): { dir: string; cacheDir: string; load: Load } {
    const root = join(temporary.path, String(counter++));
    const dir = join(root, 'data');
    mkdirSync(dir, { recursive: true });
    writeTree(
      dir,
      Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`${i < 4 ? 'a' : 'b'}/${i}.png`, picture(i)])),
    );
    writeTree(dir, { 'a/text.png': 'this is text' });
    const cacheDir = join(root, 'cache');
    const load: Load = async (from, options) => {
      const common = { imageSize: 4, wasmDir: 'not needed for PNG', cacheDir, log: () => undefined };
      const dataset = await loadDataset(await scanImageFolder(from), { ...common, ...options });
      await dataset.cached;
      return dataset;
    };
    return { dir, cacheDir, load };
  }

  it('decodes nothing again of a folder that was renamed, copied or touched', async () => {
    const { dir, load } = setUp();
    const first = await load(dir);
    assert.deepEqual([first.decoded, first.count], [8, 8]);
    const copy = `${dir} copy`;
    cpSync(dir, copy, { recursive: true });
    renameSync(join(copy, 'b', '7.png'), join(copy, 'b', 'another name.png'));
    const moved = `${dir} moved`;
    renameSync(dir, moved);
    for (const name of readdirSync(join(moved, 'a'))) utimesSync(join(moved, 'a', name), 7, 7);
    for (const place of [copy, moved]) {
      const dataset = await load(place);
      assert.deepEqual([dataset.decoded, dataset.fromCache], [0, false]);
      assert.deepEqual(dataset.images, first.images);
      assert.deepEqual(
        dataset.skipped.map(({ reason }) => reason),
        first.skipped.map(({ reason }) => reason),
      );
      assert.equal((await load(place)).fromCache, true);
    }
  });

  it('decodes only what changed, and reads nothing that did not', async () => {
    const { dir, load } = setUp();
    utimesSync(join(dir, 'a', '0.png'), 5, 5);
    await load(dir);
    writeFileSync(join(dir, 'a', '2.png'), picture(99));
    utimesSync(join(dir, 'a', '2.png'), 9, 9);
    rmSync(join(dir, 'b', '5.png'));
    writeFileSync(join(dir, 'b', '9.png'), picture(50));
    // Same size and time: whoever read it would find text.
    writeFileSync(join(dir, 'a', '0.png'), 'x'.repeat(picture(0).length));
    utimesSync(join(dir, 'a', '0.png'), 5, 5);
    const changed = await load(dir);
    assert.deepEqual([changed.decoded, changed.count, changed.skipped.length], [2, 8, 1]);
    writeFileSync(join(dir, 'a', '0.png'), picture(0));
    const anew = await load(dir, { cacheDir: `${dir} other cache` });
    assert.deepEqual(changed.images, anew.images);
  });

  it('decodes again what is damaged in a pack, and trusts no damaged index', async () => {
    const { dir, cacheDir, load } = setUp();
    const { images } = await load(dir);
    const path = join(cacheDir, readdirSync(cacheDir)[0] ?? '');
    const whole = readFileSync(path);
    const copy = `${dir} copy`;
    for (const at of [5, 8 * 48 + 3]) {
      writeFileSync(
        path,
        whole.map((byte, i) => (i === at ? byte ^ 1 : byte)),
      );
      rmSync(copy, { recursive: true, force: true });
      cpSync(dir, copy, { recursive: true });
      const dataset = await load(copy);
      assert.equal(dataset.decoded, 8);
      assert.deepEqual(dataset.images, images);
      for (const name of readdirSync(cacheDir)) rmSync(join(cacheDir, name));
    }
  });

  it('tries again, the next time, what could not be read', async () => {
    const { dir, load } = setUp();
    const folder = await scanImageFolder(dir);
    const hidden = join(dir, 'hidden');
    renameSync(join(dir, 'a', '1.png'), hidden);
    const cacheDir = `${dir} cache`;
    const options = { imageSize: 4, wasmDir: '', cacheDir, log: () => undefined };
    const first = await loadDataset(folder, options);
    await first.cached;
    assert.deepEqual([first.count, first.skipped.length], [7, 2]);
    renameSync(hidden, join(dir, 'a', '1.png'));
    const again = await loadDataset(folder, options);
    await again.cached;
    assert.deepEqual([again.count, again.decoded, again.fromCache], [8, 1, false]);
    assert.deepEqual(again.images, (await load(dir)).images);
  });

  it('stays within its limits, the newest always kept', async () => {
    const { dir, cacheDir, load } = setUp();
    for (const imageSize of [4, 5, 6, 7]) {
      await load(dir, { imageSize, cacheLimits: { packs: 2, bytes: 1e9 } });
      for (const name of readdirSync(cacheDir)) utimesSync(join(cacheDir, name), imageSize, imageSize);
    }
    assert.equal(readdirSync(cacheDir).length, 2);
    await load(dir, { imageSize: 8, cacheLimits: { packs: 2, bytes: 10 } });
    assert.deepEqual(
      readdirSync(cacheDir).map((name) => name.slice(33)),
      ['8.images'],
    );
  });
});
