import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, type DataErrorCode } from '../../../src/container/data/dataError';
import { scanImageFolder } from '../../../src/container/data/imageFolder';
import { temporaryFolder, writeTree } from './fixtures';

describe('scanImageFolder', () => {
  const temporary = temporaryFolder();
  let counter = 0;
  after(() => temporary.remove());

  /** A fresh folder with these files. */
  function folderWith(files: Record<string, string>): string {
    const root = join(temporary.path, `set ${counter++}`);
    mkdirSync(root);
    writeTree(root, files);
    return root;
  }

  async function failure(dir: string, code: DataErrorCode): Promise<string> {
    let message = '';
    await assert.rejects(scanImageFolder(dir), (error) => {
      assert.ok(error instanceof DataError, String(error));
      assert.equal(error.code, code);
      message = error.message;
      return true;
    });
    return message;
  }

  describe('of what cannot be used', () => {
    it('names a missing folder and says what was expected', async () => {
      const dir = join(temporary.path, 'nowhere');
      const message = await failure(dir, 'missing-folder');
      assert.ok(message.includes(dir) && message.includes('per class'), message);
    });

    it('refuses a file', async () => {
      const root = folderWith({ 'a.jpg': 'x' });
      await failure(join(root, 'a.jpg'), 'not-a-folder');
      await failure(join(root, 'a.jpg', 'b'), 'missing-folder');
    });

    it('refuses an empty folder', async () => {
      await failure(folderWith({}), 'empty-folder');
    });

    it('refuses a folder that cannot be read', async function () {
      if (process.getuid?.() === 0) this.skip();
      const root = folderWith({ 'cat/a.jpg': 'x', 'dog/a.jpg': 'x' });
      chmodSync(join(root, 'dog'), 0);
      const message = await failure(root, 'not-readable');
      chmodSync(join(root, 'dog'), 0o755);
      assert.ok(message.includes(join(root, 'dog')), message);
    });

    it('refuses a link to itself', async () => {
      const root = folderWith({});
      symlinkSync('self', join(root, 'self'));
      await failure(join(root, 'self'), 'not-readable');
    });

    it('says where images without class folders should go', async () => {
      const message = await failure(
        folderWith({ 'a.jpg': 'x', 'b.png': 'x', '.c.png': 'x' }),
        'no-class-folders',
      );
      assert.match(message, /holds 2 images directly.*Move each image/);
      await failure(folderWith({ 'notes.txt': 'x' }), 'no-class-folders');
    });

    it('names the only class, and the folders without an image', async () => {
      assert.match(await failure(folderWith({ 'cat/a.jpg': 'x' }), 'too-few-classes'), /"cat"/);
      const message = await failure(folderWith({ 'cat/a.jpg': 'x', 'dog/a.gif': 'x' }), 'too-few-classes');
      assert.match(message, /one class only, "cat".*Without any image: "dog"/);
    });
  });

  it('lists classes and files by code point, whatever the disk says', async () => {
    const root = folderWith({
      '\u{1f431}/1.jpg': 'x',
      '\uff0acat/1.jpg': 'x',
      'cat/10.JPG': 'xx',
      'cat/2.jpeg': 'x',
      'cat/Z/1.WebP': 'x',
      'cat/é.PNG': 'x',
      'Dog/1.png': 'x',
    });
    const folder = await scanImageFolder(root);
    assert.deepEqual(folder.classes, ['Dog', 'cat', '\uff0acat', '\u{1f431}']);
    assert.deepEqual(
      folder.files.map(({ relativePath, label, bytes }) => [relativePath, label, bytes]),
      [
        ['Dog/1.png', 0, 1],
        ['cat/10.JPG', 1, 2],
        ['cat/2.jpeg', 1, 1],
        ['cat/Z/1.WebP', 1, 1],
        ['cat/é.PNG', 1, 1],
        ['\uff0acat/1.jpg', 2, 1],
        ['\u{1f431}/1.jpg', 3, 1],
      ],
    );
    assert.deepEqual(folder.countsPerClass, [1, 4, 1, 1]);
  });

  it('takes any text as a class name', async () => {
    const names = ['"quoted"', "it's", '<img onerror=alert(1)>', '$(rm -rf ~)', '; ls', 'ネコ', '%s', 'a\nb'];
    const root = folderWith(Object.fromEntries(names.map((name) => [`${name}/1.jpg`, 'x'])));
    const folder = await scanImageFolder(root);
    assert.deepEqual([...folder.classes].sort(), [...names].sort());
    const message = await failure(folderWith({ 'a\nb/1.jpg': 'x' }), 'too-few-classes');
    assert.ok(!message.includes('\n'), 'a message is one line');
  });

  it('passes over hidden and system files and counts what it ignores', async () => {
    const root = folderWith({
      'cat/1.jpg': 'x',
      'cat/.hidden.jpg': 'x',
      'cat/Thumbs.db': 'x',
      'cat/readme.txt': 'x',
      'dog/1.jpg': 'x',
      '__MACOSX/cat/._1.jpg': 'x',
      '.git/a.jpg': 'x',
      'loose.jpg': 'x',
      'fish/notes.txt': 'x',
    });
    const folder = await scanImageFolder(root);
    assert.deepEqual(folder.classes, ['cat', 'dog']);
    assert.equal(folder.files.length, 2);
    assert.equal(folder.ignored, 3);
    assert.match(folder.warnings.join('\n'), /"fish"[^]*1 images directly/);
  });

  it('follows links once and ends in a loop', async () => {
    const root = folderWith({ 'cat/1.jpg': 'x', 'dog/1.jpg': 'x', 'dog/deep/2.jpg': 'x' });
    symlinkSync('..', join(root, 'cat', 'loop'));
    symlinkSync(join('..', '..', 'dog'), join(root, 'dog', 'deep', 'again'));
    symlinkSync('1.jpg', join(root, 'cat', 'link.jpg'));
    symlinkSync('nowhere', join(root, 'cat', 'broken.jpg'));
    symlinkSync('dog', join(root, 'wolf'));
    const { files, classes } = await scanImageFolder(root);
    assert.deepEqual(classes, ['cat', 'dog', 'wolf']);
    assert.deepEqual(
      files.filter(({ label }) => label > 0).map(({ relativePath }) => relativePath),
      ['dog/1.jpg', 'dog/deep/2.jpg', 'wolf/1.jpg', 'wolf/deep/2.jpg'],
    );
    assert.ok(files.some(({ relativePath }) => relativePath === 'cat/link.jpg'));
    assert.ok(!files.some(({ relativePath }) => relativePath.includes('broken')));
  });

  it('has another fingerprint once a file changes, and the same until then', async () => {
    const root = folderWith({ 'cat/1.jpg': 'x', 'dog/1.jpg': 'x' });
    const before = (await scanImageFolder(root)).fingerprint;
    assert.equal((await scanImageFolder(root)).fingerprint, before);
    utimesSync(join(root, 'cat', '1.jpg'), 1000, 1000);
    const touched = (await scanImageFolder(root)).fingerprint;
    writeFileSync(join(root, 'cat', '1.jpg'), 'xy');
    utimesSync(join(root, 'cat', '1.jpg'), 1000, 1000);
    assert.equal(new Set([before, touched, (await scanImageFolder(root)).fingerprint]).size, 3);
  });
});
