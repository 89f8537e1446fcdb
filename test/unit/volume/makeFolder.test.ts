import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../../../src/volume/makeFolder';

describe('makeFolder', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'make-folder-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('makes what is missing and takes what is there', () => {
    makeFolder(join(dir, 'a', 'b'));
    makeFolder(join(dir, 'a', 'b'));
    assert.ok(statSync(join(dir, 'a', 'b')).isDirectory());
  });

  it('refuses the place of a file, and a place below one', () => {
    writeFileSync(join(dir, 'file'), '');
    assert.throws(() => makeFolder(join(dir, 'file')), /EEXIST/);
    assert.throws(() => makeFolder(join(dir, 'file', 'sub')));
  });

  it('ends where the file system takes no folders at all', function () {
    if (!existsSync('/proc/self')) {
      this.skip();
    }
    assert.throws(() => makeFolder('/proc/tiny-cats/outputs'));
  });
});
