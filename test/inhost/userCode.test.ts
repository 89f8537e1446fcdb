import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationTarget, commands, window, workspace } from 'vscode';
import type { TinyCatsApi } from '../../src/host/api';
import { eventually, nextEnd, run, snapshotOf, tinyCats, workspaceFolder } from './support';

describe('a script of the user’s own', () => {
  let api: TinyCatsApi;
  let file: string;
  const newestId = (): string | undefined => api.runs[0]?.runId;

  before(async function () {
    try {
      execFileSync('python3', ['-c', 'import sys; assert sys.version_info >= (3, 9)']);
    } catch {
      console.log('skipped: there is no python3 of version 3.9 or newer on this machine');
      this.skip();
    }
    api = await tinyCats();
    file = join(workspaceFolder(), 'train.py');
  });
  after(async () => {
    await run('coolDown');
    rmSync(file, { force: true });
    await workspace
      .getConfiguration('tinyCats')
      .update('entrypoint', undefined, ConfigurationTarget.Workspace);
    await commands.executeCommand('workbench.action.closeActiveEditor');
  });

  it('is created, opened and named as what is trained', async () => {
    await run('createScript', 'python');
    assert.equal(window.activeTextEditor?.document.uri.fsPath, file);
    assert.equal(workspace.getConfiguration('tinyCats').get('entrypoint'), 'train.py:Trainer.train');
  });

  it('is chosen by Train, and trains with curves of any name', async () => {
    const ended = nextEnd(api, newestId());
    const train = run('train');
    await eventuallyPicks(ended);
    await train;
    const record = await ended;
    assert.equal(record.state, 'completed', record.result?.error?.message);
    assert.equal(record.entrypoint, 'train.py:Trainer.train');
    assert.deepEqual(record.params, { epochs: 10, lr: 0.1 });
    const snapshot = await eventually(api, () => snapshotOf(api, record.runId));
    assert.equal(snapshot.recipes[0]?.spec.name, 'train.py:Trainer.train');
  });

  it('runs edited at once, on the warm container', async () => {
    const source = readFileSync(file, 'utf8');
    writeFileSync(file, source.replace('return {"loss": loss', 'return {"edited": True, "loss": loss'));
    const ended = nextEnd(api, newestId());
    await run('rerun');
    const { start, result } = await ended;
    assert.equal(start, 'warm');
    assert.ok(JSON.stringify(result?.returned).includes('"edited":true'));
  });

  it('fails with the line of its exception, and the container stays warm', async () => {
    const source = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      source.replace('return {"edited"', 'raise ValueError("cats")\n        return {"edited"'),
    );
    const line =
      readFileSync(file, 'utf8')
        .split('\n')
        .findIndex((text) => text.includes('raise')) + 1;
    const ended = nextEnd(api, newestId());
    await run('rerun');
    const { state, result } = await ended;
    assert.equal(state, 'failed');
    assert.deepEqual(result?.error?.location, { file, line });
    await eventually(api, () => api.container.state === 'warm');
  });

  /** Takes the first item of the pick, once it is there. */
  async function eventuallyPicks(ended: Promise<unknown>): Promise<void> {
    const state = { ended: false };
    void ended.then(() => (state.ended = true));
    while (!state.ended && api.runningRunId === undefined) {
      await commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
});
