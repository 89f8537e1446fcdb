import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerClient } from '../../src/client/containerClient';
import { LocalTarget } from '../../src/targets/local/localTarget';
import { OutputsVolume } from '../../src/volume/outputsVolume';
import { Following } from '../container/support/following';
import { SHORT, makeImages } from '../container/support/place';
import { untilTrue } from '../container/support/waiting';
import { Workbench } from './harness';

const STATUS = 'tinyCats';
const OBSTACLE = /This workspace is in Restricted Mode.* trust the workspace to train/;
/** What would start something, or talk to it. */
const REFUSED = [
  'Train',
  'Rerun on Warm Container',
  'Warm Up Container',
  'Restart Container',
  'Select Target',
  'Sweep',
];

/** A folder from who knows where: a history, settings that name programs and places, and programs that leave a trace. */
describe('Restricted Mode', function () {
  this.bail(true);
  let home = '';
  let folder = '';
  let traces = '';
  let state = '';
  let workbench: Workbench;

  /** A file that can be executed. */
  async function program(path: string, script: string): Promise<void> {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, script);
    await chmod(path, 0o755);
  }

  /** The history: a real run, whose container is gone. */
  async function trainOnce(): Promise<void> {
    const before = process.env.TINY_CATS_HOME;
    process.env.TINY_CATS_HOME = join(home, 'other state');
    const images = join(home, 'images');
    await makeImages(images, { cat: 10, other: 10 });
    const outputsDir = join(folder, 'outputs');
    const target = LocalTarget.open({
      bundleDir: join(process.cwd(), 'dist'),
      outputsDir,
      dataDir: join(home, 'data'),
    });
    const client = new ContainerClient(target, new OutputsVolume(outputsDir), 'test');
    const params = { ...SHORT, data_dir: images };
    const hint = { recipe: 'classifier', params };
    const runId = await client.train('classifier', params, { engine: 'auto', port: 0, settings: {}, hint });
    assert.equal((await new Following(client, runId).result()).status, 'completed');
    await client.cool();
    await untilTrue(() => client.link === 'none');
    client.dispose();
    if (before === undefined) {
      Reflect.deleteProperty(process.env, 'TINY_CATS_HOME');
    } else {
      process.env.TINY_CATS_HOME = before;
    }
  }

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'tiny-cats-'));
    folder = join(home, 'from who knows where');
    traces = join(home, 'traces');
    state = join(home, 'state');
    await mkdir(traces);
    await mkdir(folder);
    await trainOnce();
    await program(join(folder, 'python'), `#!/bin/sh\ntouch '${traces}/interpreter'\nexit 1\n`);
    await program(
      join(folder, '.venv', 'bin', 'python'),
      `#!/bin/sh\ntouch '${traces}/environment'\nexit 1\n`,
    );
    await program(join(folder, 'node'), `#!/bin/sh\ntouch '${traces}/node'\nexit 1\n`);
    await program(
      join(folder, 'train.py'),
      `open(${JSON.stringify(`${traces}/code`)}, "w")\ndef train(): pass\n`,
    );
    await mkdir(join(folder, '.vscode'));
    await writeFile(
      join(folder, '.vscode', 'settings.json'),
      JSON.stringify({
        'tinyCats.pythonInterpreter': join(folder, 'python'),
        'tinyCats.entrypoint': 'train.py:train',
        'tinyCats.target': 'theirs',
        'tinyCats.targets': [
          {
            name: 'theirs',
            kind: 'ssh',
            host: 'theirs.invalid',
            node: join(folder, 'node'),
          },
        ],
        'tinyCats.outputsFolder': join(home, 'their outputs'),
        'tinyCats.dataFolder': join(home, 'their data'),
        'tinyCats.engine': 'torch',
        'tinyCats.port': 1234,
        'tinyCats.metricPatterns': ['('],
        'tinyCats.defaultParameters': { data_dir: '/' },
      }),
    );
    workbench = await Workbench.open({
      folder,
      workspaceTrust: true,
      settings: { 'security.workspace.trust.banner': 'never' },
      viewport: { width: 1400, height: 900 },
      env: { TINY_CATS_HOME: state },
    });
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') {
      await workbench.screenshot('failure-restricted');
      await workbench.saveLogs('restricted');
    }
  });
  after(async () => {
    await workbench.close();
    await rm(home, { recursive: true, force: true });
  });

  /** Nothing of the folder was executed, nothing was started, and nothing was made where its settings point. */
  async function assertUntouched(): Promise<void> {
    assert.deepEqual(await readdir(traces), []);
    for (const path of [state, join(home, 'their outputs'), join(home, 'their data')]) {
      assert.ok(!existsSync(path), `${path} is not there`);
    }
  }

  it('shows the history with its curves, and no other target than this machine', async () => {
    await workbench.statusBarItem('status.workspaceTrust').waitFor();
    await workbench.waitForStatus(STATUS, /^\s*Tiny Cats: cold$/);
    await workbench.openSidebar('Tiny Cats');
    await workbench.treeRow(/classifier.*val_acc/).click();
    const panel = workbench.webview();
    await panel.locator('header.top .badge').filter({ hasText: 'Completed' }).waitFor();
    await panel.locator('table.epochs tbody tr').first().waitFor();
    await panel.locator('header.top').getByTitle('trust the workspace').first().waitFor();
    assert.ok(await panel.getByRole('button', { name: 'Train', exact: true }).isDisabled());
    await assertUntouched();
  });

  it('opens a checkpoint', async () => {
    await workbench.expandTreeRow('classifier');
    await workbench.treeRow(/^best/).click();
    await workbench.webview().getByText('classifier', { exact: true }).first().waitFor();
    await assertUntouched();
  });

  it('starts nothing, whatever is asked, and says what to do', async () => {
    for (const title of REFUSED) {
      await workbench.runCommand(`Tiny Cats: ${title}`);
      const told = workbench.notifications.filter({ hasText: OBSTACLE }).first();
      await told.waitFor();
      await told.hover();
      await told.locator('.codicon-notifications-clear, .codicon-close').first().click();
      await told.waitFor({ state: 'hidden' });
    }
    await assertUntouched();
    await workbench.runCommand('Tiny Cats: Train');
    await workbench.answerNotification(OBSTACLE, 'Manage Workspace Trust');
    await workbench.page.locator('.workspace-trust-editor').waitFor();
    await assertUntouched();
  });

  it('takes the folder’s settings once it is trusted', async () => {
    await workbench.page
      .locator('.workspace-trust-editor')
      .getByRole('button', { name: 'Trust', exact: true })
      .click();
    await workbench.waitForStatus(STATUS, 'theirs');
  });
});
