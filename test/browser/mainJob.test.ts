import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { Workbench } from './harness';
import type { ColorTheme } from './harness';

const STATUS = 'tinyCats';
const THEMES: [string, ColorTheme][] = [
  ['dark', 'Default Dark Modern'],
  ['light', 'Default Light Modern'],
  ['contrast', 'Default High Contrast'],
];

/** What a user does, from the palette to the inspector, in a real VS Code with the packaged extension. */
describe('training in VS Code', function () {
  // Each step stands on the one before it.
  this.bail(true);
  let home = '';
  let folder = '';
  let workbench: Workbench;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'tiny-cats-'));
    folder = join(home, `Käse "n" 'Brot`);
    await mkdir(folder);
    workbench = await Workbench.open({
      folder,
      settings: { 'tinyCats.defaultParameters': { epochs: 3 } },
      viewport: { width: 1400, height: 900 },
      // A reload of the window is to find the same container and the run that went on.
      reconnectionGraceS: 1,
      env: { TINY_CATS_HOME: join(home, 'state') },
    });
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') {
      await workbench.screenshot('failure');
      await workbench.saveLogs('browser');
    }
  });
  after(async () => {
    await workbench.close();
    await rm(home, { recursive: true, force: true });
  });

  const panel = (selector: string): Locator => workbench.webview().locator(selector);
  const runState = (label: string): Promise<void> =>
    panel('header.top .badge').filter({ hasText: label }).waitFor();
  const logged = (text: string): Promise<void> => panel('.text').filter({ hasText: text }).first().waitFor();
  const field = (label: string): Locator =>
    workbench.webview().getByRole('textbox', { name: label, exact: true });
  const runRows = (): Locator => workbench.treeRows.filter({ hasText: 'classifier' });
  const epochRows = (): Locator => panel('table.epochs tbody tr');

  it('is cold at first and says so', async () => {
    await workbench.waitForStatus(STATUS, 'cold');
    await workbench.openSidebar('Tiny Cats');
    await workbench.page.locator('.sidebar .welcome-view').getByText('No run yet').waitFor();
  });

  it('goes from cold to training on the sample and draws the epochs', async () => {
    await workbench.runCommand('Tiny Cats: Train');
    await workbench.quickInput.choose('Use the sample');
    await workbench.waitForStatus(STATUS, /warming|training/);
    await workbench.waitForStatus(STATUS, 'training');
    await runState('Completed');
    await workbench.waitForStatus(STATUS, 'warm');
    await panel('.facts').getByText('Cold start').waitFor();
    await logged('Epoch   3/3 |');
  });

  it('shows the phases of the start-up with their times', async () => {
    const startup = workbench.webview().locator('section', { hasText: 'Start-up' });
    for (const phase of [
      'process start',
      'module import',
      'device initialisation',
      'data set metadata',
      'model',
    ]) {
      await startup.getByText(phase, { exact: false }).first().waitFor();
    }
  });

  it('reruns on the warm container, where the first step comes at once', async () => {
    await workbench.runCommand('Tiny Cats: Rerun on Warm Container');
    await panel('.facts').getByText('Warm start').waitFor();
    await runState('Completed');
    assert.match(await panel('.facts').innerText(), /Warm start · first step after \d[\d.]* m?s/);
    await workbench.screenshot('panel-dark-wide');
  });

  it('finds both runs in the sidebar, with how they started and what they reached', async () => {
    await workbench.openSidebar('Tiny Cats');
    // A row of a run that goes on names its state first: the history may hear of the end after the panel.
    await workbench.treeRow(/classifier ?val_acc \d.*% · .* · warm/).waitFor();
    const rows = await workbench.treeTexts();
    assert.equal(rows.length, 2, rows.join('\n'));
    assert.match(rows[0] ?? '', /classifier ?val_acc \d.*% · .* · warm/);
    assert.match(rows[1] ?? '', /classifier ?val_acc \d.*% · .* · cold/);
  });

  it('opens the best checkpoint and shows what is in it', async () => {
    await workbench.expandTreeRow(/warm/);
    await workbench.treeRow(/^best/).click();
    const inspector = workbench.webview(0);
    // The tensors are below what the training tells, and only rows in sight are drawn.
    await workbench.setSize(1400, 1600);
    await inspector.getByRole('gridcell', { name: 'conv1.weight', exact: true }).waitFor();
    await inspector.getByText('24 × 3 × 3 × 3').or(inspector.getByText('[24, 3, 3, 3]')).first().waitFor();
    await inspector.getByText('cat', { exact: true }).first().waitFor();
    await workbench.screenshot('inspector-dark-wide');
    await workbench.setSize(1400, 900);
  });

  it('keeps the run going over a reload of the window, and shows every epoch afterwards', async () => {
    await workbench.changeSettings({ 'tinyCats.defaultParameters': { epochs: 8 } });
    await workbench.runCommand('Tiny Cats: Show Panel');
    await panel('header.top').waitFor();
    await field('Epochs').fill('8');
    await panel('header.top').getByRole('button', { name: 'Train', exact: true }).click();
    await runState('Training');
    await logged('Epoch   2/8 |');
    await workbench.screenshot('panel-training');
    await workbench.reload();
    await panel('header.top').waitFor();
    await runState('Completed');
    await workbench.webview().getByRole('button', { name: /table/i }).first().click();
    await epochRows().nth(7).waitFor();
    assert.equal(await epochRows().count(), 8);
  });

  it('stops a run on request and keeps its checkpoint', async () => {
    await field('Epochs').fill('500');
    await panel('header.top').getByRole('button', { name: 'Train', exact: true }).click();
    await runState('Training');
    await panel('header.top').getByRole('button', { name: 'Stop' }).click();
    await runState('Stopped');
    await workbench.waitForStatus(STATUS, 'warm');
    await workbench.treeRow(/classifier ?stopped/).waitFor();
    await runRows().nth(3).waitFor();
  });

  it('says which parameter is wrong, and trains nothing', async () => {
    await field('Batch size').fill('0');
    await panel('header.top').getByRole('button', { name: 'Train', exact: true }).click();
    await workbench.webview().getByText('expected a whole number of at least 1').waitFor();
    assert.equal(await runRows().count(), 4);
    await field('Batch size').fill('32');
  });

  it('shows a missing data folder as a failed run with what to do', async () => {
    await field('Data folder').fill('no such folder');
    await panel('header.top').getByRole('button', { name: 'Train', exact: true }).click();
    await runState('Failed');
    await workbench.webview().getByText('does not exist').first().waitFor();
    await workbench.screenshot('panel-failed');
  });

  it('reopens a run after a restart of VS Code, with all its curves and logs', async () => {
    await workbench.runCommand('Tiny Cats: Cool Down Container');
    await workbench.waitForStatus(STATUS, 'cold');
    await workbench.restart();
    await workbench.openSidebar('Tiny Cats');
    await workbench.treeRow(/cold/).click();
    await panel('.facts').getByText('Cold start').waitFor();
    await logged('Epoch   3/3 |');
    await workbench.webview().getByRole('button', { name: /table/i }).first().click();
    await epochRows().nth(2).waitFor();
    await workbench.waitForStatus(STATUS, 'cold');
  });

  it('looks right in every theme, narrow and wide', async () => {
    await workbench.treeRow(/val_acc .* warm/).click();
    for (const [name, theme] of THEMES) {
      await workbench.setTheme(theme);
      for (const [size, width] of [
        ['wide', 1400],
        ['narrow', 700],
      ] as const) {
        await workbench.setSize(width, 1000);
        await workbench.screenshot(`panel-${name}-${size}`);
        for (const part of ['body', 'header .title']) {
          const overflow = await workbench.pixelsTooWide(part);
          assert.ok(overflow <= 0, `${name} ${size}: ${part} is ${overflow} pixels too wide`);
        }
      }
    }
  });

  it('leaves nothing half-written in the workspace', async () => {
    const names = await readdir(join(folder, 'outputs'), { recursive: true });
    assert.ok(names.some((name) => name.endsWith('best.safetensors')));
    assert.deepEqual(
      names.filter((name) => name.endsWith('.tmp')),
      [],
    );
  });
});
