import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findImageFolders } from '../../../src/host/commands/findImageFolders';

describe('folders that look like images to train on', () => {
  let root: string;
  const image = (...path: string[]): void => {
    mkdirSync(join(root, ...path.slice(0, -1)), { recursive: true });
    writeFileSync(join(root, ...path), '');
  };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tiny cats '));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('have two or more folders with images in them', async () => {
    image('data', 'größe "x"', 'cat', '1.JPG');
    image('data', 'größe "x"', 'other', '1.png');
    image('single', 'cat', '1.png');
    image('texts', 'a', '1.txt');
    image('texts', 'b', '1.txt');
    assert.deepEqual(await findImageFolders(root), [join(root, 'data', 'größe "x"')]);
  });

  it('may be the workspace itself', async () => {
    image('cat', '1.webp');
    image('other', '1.webp');
    assert.deepEqual(await findImageFolders(root), [root]);
  });

  it('are not looked for in hidden folders and packages', async () => {
    for (const skipped of ['.tiny-cats', 'node_modules']) {
      image(skipped, 'cat', '1.png');
      image(skipped, 'other', '1.png');
    }
    assert.deepEqual(await findImageFolders(root), []);
  });

  it('are looked for in a bounded number of folders', async () => {
    for (let index = 0; index < 400; index += 1) {
      mkdirSync(join(root, `folder-${index}`));
    }
    image('zz', 'cat', '1.png');
    image('zz', 'other', '1.png');
    assert.deepEqual(await findImageFolders(root), []);
  });

  it('are none in a folder that is gone', async () => {
    assert.deepEqual(await findImageFolders(join(root, 'gone')), []);
  });
});
