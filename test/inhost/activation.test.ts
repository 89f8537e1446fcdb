import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { commands, extensions } from 'vscode';
import { COMMANDS } from '../../src/host/contributions';
import { tinyCats, workspaceFolder } from './support';

describe('the extension', () => {
  it('is known to VS Code and activates', async () => {
    const extension = extensions.getExtension('tiny-cats.tiny-cats');
    assert.ok(extension, 'VS Code does not list the extension');
    await extension.activate();
    assert.equal(extension.isActive, true);
  });

  it('starts nothing and writes nothing until it is asked to', async () => {
    const api = await tinyCats();
    assert.equal(api.container.state, 'cold');
    assert.equal(api.statusText, '$(circle-outline) Tiny Cats: cold');
    assert.deepEqual(api.panelMessages, []);
    for (const name of ['outputs', '.tiny-cats']) {
      assert.equal(existsSync(join(workspaceFolder(), name)), false, `${name} was made`);
    }
  });

  it('registers its commands', async () => {
    const registered = new Set(await commands.getCommands(true));
    for (const { id } of Object.values(COMMANDS)) {
      assert.ok(registered.has(id), id);
    }
  });
});
