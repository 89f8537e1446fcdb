import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadDataset, type Dataset } from '../../../src/container/data/dataset';
import { scanImageFolder } from '../../../src/container/data/imageFolder';
import { ensureSampleDataset } from '../../../src/container/data/sample/sampleDataset';
import { temporaryFolder } from './fixtures';

describe('ensureSampleDataset', () => {
  const temporary = temporaryFolder();
  let dataset: Dataset;
  let images: Uint8Array = new Uint8Array();
  let dir = '';
  before(async () => {
    dir = await ensureSampleDataset(join(temporary.path, 'data'));
    dataset = await loadDataset(await scanImageFolder(dir), {
      imageSize: 64,
      wasmDir: 'not needed for PNG',
      cacheDir: join(temporary.path, 'cache'),
      log: (level, text) => assert.fail(`${level}: ${text}`),
    });
    images = dataset.images ?? images;
    await dataset.cached;
  });
  after(() => temporary.remove());

  it('makes two classes of 300 whole images', () => {
    assert.deepEqual(dataset.classes, ['cat', 'other']);
    assert.deepEqual(dataset.countsPerClass, [300, 300]);
    assert.deepEqual(readdirSync(join(temporary.path, 'data')), ['sample-cats']);
  });

  it('draws every image differently', () => {
    const seen = new Set<string>();
    const length = 64 * 64 * 3;
    for (let i = 0; i < dataset.count; i++) {
      seen.add(Buffer.from(images.subarray(i * length, (i + 1) * length)).toString('latin1'));
    }
    assert.equal(seen.size, 600);
  });

  it('cannot be told apart by the background', () => {
    // The best threshold on any one channel of the top left corner's colour.
    let best = 0;
    for (let channel = 0; channel < 3; channel++) {
      const values = [...dataset.labels].map(
        (label, i) => [images[i * 64 * 64 * 3 + channel] ?? 0, label] as const,
      );
      for (let threshold = 0; threshold < 256; threshold++) {
        const right = values.filter(([value, label]) => (value < threshold ? 0 : 1) === label).length;
        best = Math.max(best, right, 600 - right);
      }
    }
    assert.ok(best / 600 < 0.62, `${best} of 600 are told by their corner`);
  });

  it('gives the same bytes elsewhere, and leaves a folder that is there alone', async () => {
    const other = await ensureSampleDataset(join(temporary.path, 'elsewhere'));
    for (const name of ['cat/cat-001.png', 'other/dog-001.png', 'other/cupcake-016.png']) {
      assert.deepEqual(readFileSync(join(other, name)), readFileSync(join(dir, name)));
    }
    writeFileSync(join(other, 'cat', 'mine.png'), 'mine');
    await ensureSampleDataset(join(temporary.path, 'elsewhere'));
    assert.equal(readFileSync(join(other, 'cat', 'mine.png'), 'utf8'), 'mine');
  });

  it('completes a folder that was copied in part, and leaves what else is in it', async () => {
    const dataDir = join(temporary.path, 'partial');
    mkdirSync(join(dataDir, 'sample-cats', 'cat'), { recursive: true });
    writeFileSync(join(dataDir, 'sample-cats', 'cat', 'mine.png'), 'mine');
    writeFileSync(join(dataDir, 'sample-cats', 'cat', 'cat-001.png'), 'cut off');
    const completed = await ensureSampleDataset(dataDir);
    assert.deepEqual(readdirSync(dataDir), ['sample-cats']);
    assert.equal(readdirSync(join(completed, 'cat')).length, 301);
    assert.equal(readdirSync(join(completed, 'other')).length, 300);
    assert.deepEqual(
      readFileSync(join(completed, 'cat', 'cat-001.png')),
      readFileSync(join(dir, 'cat', 'cat-001.png')),
    );
  });

  it('does not bring back what the user removed', async () => {
    const dataDir = join(temporary.path, 'removed');
    const made = await ensureSampleDataset(dataDir);
    rmSync(join(made, 'other'), { recursive: true });
    await ensureSampleDataset(dataDir);
    assert.deepEqual(
      readdirSync(made).filter((name) => !name.startsWith('.')),
      ['cat'],
    );
  });

  it('removes what a killed process left half-made, and nothing younger', async () => {
    const dataDir = join(temporary.path, 'killed');
    const [old, young] = ['.sample-cats-old.tmp', '.sample-cats-young.tmp'];
    for (const name of [old, young]) mkdirSync(join(dataDir, name, 'cat'), { recursive: true });
    utimesSync(join(dataDir, old), 1, 1);
    await ensureSampleDataset(dataDir);
    assert.deepEqual(readdirSync(dataDir).sort(), [young, 'sample-cats']);
  });

  it('succeeds for two at once', async () => {
    const dataDir = join(temporary.path, 'both');
    const [first, second] = await Promise.all([ensureSampleDataset(dataDir), ensureSampleDataset(dataDir)]);
    assert.equal(first, second);
    assert.deepEqual(readdirSync(dataDir), ['sample-cats']);
    assert.equal(readdirSync(join(first, 'cat')).length, 300);
  });

  it('fails clearly and leaves nothing where it cannot write', async () => {
    const dataDir = join(temporary.path, 'blocked');
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'sample-cats'), 'a file in the way');
    await assert.rejects(ensureSampleDataset(dataDir));
    assert.deepEqual(readdirSync(dataDir), ['sample-cats']);
  });
});
