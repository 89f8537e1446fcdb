import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { confine } from '../../../src/volume/confine';

describe('confine', () => {
  let base: string;
  let root: string;
  before(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'tiny cats ä "in" ')));
    root = join(base, 'volume');
    await mkdir(join(root, 'sub'), { recursive: true });
    await mkdir(join(base, 'volume-not'));
    await writeFile(join(base, 'secret'), '');
    await symlink(base, join(root, 'up'));
    await symlink(join(base, 'secret'), join(root, 'file'));
    await symlink(join(root, 'sub'), join(root, 'inner'));
    await symlink(join(base, 'nowhere'), join(root, 'dangling'));
  });
  after(() => rm(base, { recursive: true, force: true }));

  it('gives the real path of what is inside, be it there or not', async () => {
    for (const [path, expected] of [
      ['a', 'a'],
      ['sub/../b/c', 'b/c'],
      ['..a', '..a'],
      ['inner/x', 'sub/x'],
      [join('sub', 'käse "x"'), join('sub', 'käse "x"')],
    ] as const) {
      assert.equal(await confine(root, path), join(root, expected));
      assert.equal(await confine(root, join(root, path)), join(root, expected));
    }
  });

  it('refuses what leads out', async () => {
    for (const path of [
      '',
      '.',
      '..',
      '../x',
      'sub/../..',
      '/',
      base,
      join(base, 'volume-not', 'x'),
      'up/x',
      'up/new/x',
      'file',
      'inner/../up/x',
    ]) {
      await assert.rejects(confine(root, path), new RegExp('is not inside'), path);
    }
    await assert.rejects(confine(root, 'dangling'));
  });

  it('takes a volume that is itself reached through a link', async () => {
    await symlink(root, join(base, 'alias'));
    assert.equal(await confine(join(base, 'alias'), 'x'), join(root, 'x'));
  });
});
