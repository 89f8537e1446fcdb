import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { Workbench } from './harness';

/** Choosing a target, and a sweep from the palette to its comparison, in a real VS Code with the packaged extension. */
describe('targets and sweeps in VS Code', function () {
  // Each step stands on the one before it.
  this.bail(true);
  let home = '';
  let workbench: Workbench;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'tiny-cats-'));
    const folder = join(home, 'cats');
    await mkdir(folder);
    workbench = await Workbench.open({
      folder,
      settings: {
        'tinyCats.defaultParameters': { data_dir: 'sample', epochs: 2, image_size: 32 },
        'tinyCats.targets': [{ name: 'box', kind: 'ssh', host: 'no-such-host.invalid' }],
      },
      viewport: { width: 1400, height: 900 },
      reconnectionGraceS: 1,
      env: { TINY_CATS_HOME: join(home, 'state') },
    });
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') {
      await workbench.screenshot('failure-sweep');
      await workbench.saveLogs('sweep');
    }
  });
  after(async () => {
    await workbench.close();
    await rm(home, { recursive: true, force: true });
  });

  const trials = (): Locator => workbench.webview().locator('table.trials tbody tr');

  it('lists the targets with their states, and says what a host lacks', async () => {
    const { quickInput } = workbench;
    await workbench.runCommand('Tiny Cats: Select Target');
    const box = quickInput.rows.filter({ hasText: 'no-such-host.invalid' });
    await box.filter({ hasText: 'unreachable' }).waitFor();
    assert.match((await quickInput.labels())[0] ?? '', /^local ?this machine · cold · chosen/);
    await box.hover();
    await box.locator('a.action-label').click();
    await quickInput.widget.filter({ hasText: 'box: 1 problem' }).waitFor();
    await quickInput.rows.filter({ hasText: 'no-such-host.invalid cannot be reached' }).waitFor();
    await quickInput.cancel();
  });

  it('trains every value of a sweep, and shows them beside each other', async () => {
    const { quickInput } = workbench;
    await workbench.openSidebar('Tiny Cats');
    await workbench.runCommand('Tiny Cats: Sweep');
    await quickInput.toggle('lr');
    await quickInput.accept();
    await quickInput.answer('0.001, 0.01', 'values of lr');
    await quickInput.answer('2', 'How many containers');
    await trials().nth(1).waitFor();
    await trials().filter({ hasText: 'completed' }).nth(1).waitFor();
    await workbench.treeRow(/sweep ?2\/2 · best \d.*% · lr/).waitFor();
    await workbench.screenshot('sweep-dark-wide');
  });

  it('keeps the curves of the shown run clear of its log', async () => {
    await workbench.treeRow(/sweep/).click();
    const bottomOf = async (selector: string): Promise<number> => {
      const box = await workbench.webview().locator(selector).last().boundingBox();
      return (box?.y ?? Number.NaN) + (box?.height ?? Number.NaN);
    };
    const log = await workbench.webview().locator('section.log').boundingBox();
    assert.ok((await bottomOf('.curves .chart:visible')) <= (log?.y ?? 0));
  });

  it('groups the trainings in the history, over a reload of the window too', async () => {
    await workbench.reload();
    await workbench.openSidebar('Tiny Cats');
    await workbench.expandTreeRow(/sweep/);
    await workbench.treeRow(/^lr 0\.001/).waitFor();
    await workbench.treeRow(/^lr 0\.01 ?val_acc/).waitFor();
    await workbench.treeRow(/sweep/).click();
    await trials().nth(1).waitFor();
    assert.equal(await trials().count(), 2);
  });
});
