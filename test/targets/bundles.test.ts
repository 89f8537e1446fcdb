import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

describe('the bundles', () => {
  it('keep what speaks to container engines out of what VS Code loads at its start', async () => {
    const extension = await readFile(resolve('dist/extension.js'), 'utf8');
    assert.ok(extension.length < 400_000, `it has ${extension.length} bytes`);
    assert.ok(!extension.includes('/containers/create'));
    assert.ok((await readFile(resolve('dist/target-docker.js'), 'utf8')).includes('/containers/create'));
  });

  it('keep what speaks to Modal, and what parses Python, out of it, too', async () => {
    const extension = await readFile(resolve('dist/extension.js'), 'utf8');
    assert.ok(!extension.includes('SandboxCreate'));
    assert.ok((await readFile(resolve('dist/target-modal.js'), 'utf8')).includes('SandboxCreate'));
    assert.ok((await readFile(resolve('dist/modal-export.js'), 'utf8')).includes('exportModalApp'));
  });
});
