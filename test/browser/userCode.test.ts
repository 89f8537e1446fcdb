import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Locator } from 'playwright-core';
import { pathWithFakeNvidiaSmi } from '../python/support/nvidiaSmi';
import { Workbench } from './harness';
import type { ColorTheme } from './harness';

const STATUS = 'tinyCats';
const THEMES: [string, ColorTheme][] = [
  ['dark', 'Default Dark Modern'],
  ['light', 'Default Light Modern'],
  ['contrast', 'Default High Contrast'],
];

const TRAIN = `import logging
import time

from store import keep

logger = logging.getLogger("cats")


def train(data: str, epochs: int = 4, lr: float = 0.1, mode: str = "fast", hold: bool = False):
    """Trains a cat.

    Args:
        data: Folder of cats
        hold: Keep what was made
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    for epoch in range(1, epochs + 1):
        time.sleep(0.7)
        logger.info(
            "Epoch %3d/%d | Train loss: %.3f acc: %.2f | Val loss: %.3f acc: %.2f | LR: %.1e | Time: 0.7s",
            epoch, epochs, 1 / epoch, 0.5 + epoch / 20, 1.1 / epoch, 0.4 + epoch / 20, lr / epoch,
        )
        print(f"epoch {epoch} f1: {0.3 + epoch / 30:.3f} loss: {1 / epoch:.3f}")
    if hold:
        keep()
    return {"mode": mode, "data": data, "scores": [1, 2, 3]}
`;
const STORE = `kept = []


def keep():
    kept.append(b"x" * (260 << 20))
`;

/** The user's own code, from the form to a clicked error, in a real VS Code with the packaged extension. */
describe('own code in VS Code', function () {
  // Each step stands on the one before it.
  this.bail(true);
  let home = '';
  let folder = '';
  let workbench: Workbench;

  before(async function () {
    if (spawnSync('python3', ['-c', 'import sys; assert sys.version_info >= (3, 9)']).status !== 0) {
      console.log('    skipped: there is no Python 3.9 or newer');
      this.skip();
    }
    home = await mkdtemp(join(tmpdir(), 'tiny-cats-'));
    folder = join(home, `Käse "n" 'Brot`);
    const files = { 'src/train.py': TRAIN, 'src/store.py': STORE };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    workbench = await Workbench.open({
      folder,
      settings: { 'tinyCats.entrypoint': 'src/train.py:train' },
      viewport: { width: 1400, height: 1100 },
      env: {
        TINY_CATS_HOME: join(home, 'state'),
        // This machine may have no GPU: what a panel shows of one comes from a fake of NVIDIA's program.
        PATH: pathWithFakeNvidiaSmi(join(home, 'bin')),
        // As the command line sets it: VS Code takes the environment as it is, and asks no login shell for another.
        VSCODE_CLI: '1',
      },
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
  const button = (name: string): Locator =>
    panel('header.top').getByRole('button', { name, exact: true }).first();
  const runState = (label: string): Promise<void> =>
    panel('header.top .badge').filter({ hasText: label }).waitFor();
  const field = (label: string): Locator =>
    workbench.webview().getByRole('textbox', { name: label, exact: true });

  it('has a form of the function’s parameters, and asks for the one that has to be given', async () => {
    await workbench.runCommand('Tiny Cats: Show Panel');
    await field('Data').waitFor();
    await field('Epochs').waitFor();
    await panel('.invitation').getByRole('button', { name: 'Train', exact: true }).click();
    await workbench.screenshot('code-required');
    await workbench.webview().getByText('A value is needed, it has no default').waitFor();
  });

  it('trains, with its metrics as curves and what it returned', async () => {
    await field('Data').fill('cats');
    await panel('.invitation').getByRole('button', { name: 'Train', exact: true }).click();
    await runState('Completed');
    await panel('.text').filter({ hasText: 'Epoch   4/4 |' }).first().waitFor();
    await panel('.returned').waitFor({ state: 'attached' });
    assert.match((await panel('.returned').textContent()) ?? '', /"data": "cats"/);
    await workbench.webview().getByText('F1', { exact: true }).first().waitFor();
    await workbench
      .webview()
      .getByRole('img', { name: /^GPU utilisation/ })
      .waitFor();
    await workbench
      .webview()
      .getByRole('img', { name: /^GPU memory/ })
      .waitFor();
    await workbench.screenshot('code-done');
  });

  it('offers a restart where memory is held from run to run', async () => {
    // Not `check()`: a box of the toolkit says that it is checked with the next frame only.
    await workbench.webview().getByRole('checkbox', { name: 'Hold' }).click();
    await workbench.webview().getByRole('checkbox', { name: 'Hold', checked: true }).waitFor();
    for (let run = 0; run < 2; run += 1) {
      await button('Train').click();
      await runState('Training');
      await runState('Completed');
    }
    await panel('.banner.notice')
      .filter({ hasText: /held since run/ })
      .waitFor();
    for (const [name, theme] of THEMES) {
      await workbench.setTheme(theme);
      for (const [size, width] of [
        ['wide', 1400],
        ['narrow', 700],
      ] as const) {
        await workbench.setSize(width, 1100);
        await workbench.screenshot(`code-${name}-${size}`);
        const overflow = await workbench.pixelsTooWide('body');
        assert.ok(overflow <= 0, `${name} ${size}: ${overflow} pixels too wide`);
      }
    }
    await workbench.setSize(1400, 1100);
    await panel('.banner.notice').getByRole('button', { name: 'Restart Container' }).click();
    await panel('.banner.notice').waitFor({ state: 'hidden' });
    await workbench.waitForStatus(STATUS, 'warm');
  });

  it('keeps what was filled in while the panel is hidden and the function gets another parameter', async () => {
    await field('Epochs').fill('3');
    await writeFile(
      join(folder, 'src', 'train.py'),
      TRAIN.replace('hold: bool', 'name: str = "Tom", hold: bool'),
    );
    // The panel is hidden meanwhile: its page ends, and is made anew.
    await workbench.quickInput.openFile('train.py');
    await workbench.page.locator('.tabs-container .tab', { hasText: 'train.py' }).waitFor();
    await workbench.focusEditor('Tiny Cats');
    await field('Name').waitFor();
    assert.equal(await field('Epochs').inputValue(), '3');
    assert.equal(await field('Name').inputValue(), 'Tom');
  });

  it('runs what was edited, and opens the line of an exception with a click', async () => {
    await writeFile(join(folder, 'src', 'store.py'), 'def keep():\n    raise ValueError("no more room")\n');
    await button('Train').click();
    await runState('Failed');
    await workbench.screenshot('code-failed');
    await panel('.location').filter({ hasText: 'store.py:2' }).first().click();
    await workbench.page.locator('.tabs-container .tab', { hasText: 'store.py' }).waitFor();
    await workbench.page.locator('.statusbar-item').filter({ hasText: /Ln 2,/ }).waitFor();
  });
});
