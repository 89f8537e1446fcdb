import assert from 'node:assert/strict';
import { extensions } from 'vscode';

describe('the extension', () => {
  it('is known to VS Code and activates', async () => {
    const extension = extensions.getExtension('tiny-cats.tiny-cats');
    assert.ok(extension, 'VS Code does not list the extension');
    await extension.activate();
    assert.equal(extension.isActive, true);
  });
});
