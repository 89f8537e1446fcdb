import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TabInputCustom, Uri, commands, env, window } from 'vscode';
import type { TinyCatsApi } from '../../src/host/api';
import { VIEWS } from '../../src/host/contributions';
import type { RunRecord } from '../../src/protocol/run';
import {
  eventually,
  nextEnd,
  run,
  setDefaultParameters,
  snapshotOf,
  tinyCats,
  workspaceFolder,
} from './support';

const SMALL = { data_dir: 'sample', epochs: 2, image_size: 32, warmup_epochs: 0, lr: 0.001 };

describe('training in a real container', () => {
  let api: TinyCatsApi;
  let cold: RunRecord;
  const newestId = (): string | undefined => api.runs[0]?.runId;

  before(async () => {
    api = await tinyCats();
    await setDefaultParameters(SMALL);
  });
  after(async () => {
    await run('coolDown');
    await setDefaultParameters({});
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') {
      const { container, statusText, runningRunId } = api;
      const runs = api.runs.map(({ runId, state, result }) => ({ runId, state, error: result?.error }));
      console.log('[in-host]', JSON.stringify({ container, statusText, runningRunId, runs }, undefined, 1));
    }
  });

  it('starts a container, trains on the sample and says so in the status bar', async () => {
    const states: string[] = [];
    const texts = new Set<string>();
    const subscription = api.onDidChange(() => {
      const { state } = api.container;
      if (states.at(-1) !== state) {
        states.push(state);
      }
      texts.add(api.statusText);
    });
    const ended = nextEnd(api, newestId());
    await run('train');
    cold = await ended;
    await eventually(api, () => api.container.state === 'warm');
    subscription.dispose();
    assert.equal(cold.state, 'completed', cold.result?.error?.message);
    assert.equal(cold.start, 'cold');
    assert.deepEqual(
      states.filter((state) => state !== 'cold'),
      ['warming', 'training', 'warm'],
    );
    assert.match(api.statusText, /^\$\(flame\) Tiny Cats: warm, \d+ min left$/);
    assert.ok(texts.has('$(sync~spin) Tiny Cats: training 2/2'), [...texts].join(', '));
    assert.equal(api.container.link, 'connected');
    assert.ok(api.container.enterPhases.length > 2);
    assert.ok((api.container.idleRemainingMs ?? 0) > 0);
  });

  it('streamed the run to the panel', async () => {
    assert.equal(api.panelVisible, true);
    const snapshot = await eventually(api, () => snapshotOf(api, cold.runId));
    assert.equal(snapshot.mayTrain, true);
    assert.equal(snapshot.recipes[0]?.params.epochs, 2);
    const own = await eventually(api, () => {
      const events = api.panelMessages.flatMap((message) =>
        message.type === 'events' ? message.events : [],
      );
      const ofRun = events.filter(({ runId }) => runId === cold.runId);
      return ofRun.at(-1)?.type === 'result' && ofRun;
    });
    assert.deepEqual(
      own.map(({ seq }) => seq),
      [...new Set(own.map(({ seq }) => seq))].sort((a, b) => a - b),
      'each event once and in order',
    );
  });

  it('runs again on the warm container, with the start of the cold one beside it', async () => {
    const ended = nextEnd(api, newestId());
    await run('rerun');
    const warm = await ended;
    assert.equal(warm.state, 'completed', warm.result?.error?.message);
    assert.equal(warm.start, 'warm');
    assert.deepEqual(warm.params, cold.params);
    assert.equal(warm.result?.val_acc, cold.result?.val_acc, 'the same seed gives the same numbers');
    assert.ok((warm.timeToFirstStepMs ?? Infinity) < (cold.timeToFirstStepMs ?? 0));
    const snapshot = await eventually(api, () => snapshotOf(api, warm.runId));
    assert.equal(snapshot.coldStart?.runId, cold.runId);
    assert.ok(snapshot.coldStart.phases.some(({ scope }) => scope === 'enter'));
  });

  it('lists runs and checkpoints in the history', async () => {
    const [newest, oldest, ...others] = await api.historyItems();
    assert.deepEqual(others, []);
    assert.match(newest?.description ?? '', /^val_acc \d+\.\d% · .* · warm$/);
    assert.match(oldest?.description ?? '', /· cold$/);
    assert.equal(newest?.contextValue, 'run ended unpinned');
    assert.deepEqual(newest.checkpoints.map(({ label }) => label).sort(), ['best', 'last']);
    assert.match(newest.checkpoints[0]?.description ?? '', /^epoch \d · val_acc .* · .*B$/);
  });

  it('opens an older run in the panel again', async () => {
    await run('openRun', { type: 'run', runId: cold.runId });
    const snapshot = await eventually(api, () => {
      const last = api.panelMessages.findLast(({ type }) => type === 'snapshot');
      return last?.type === 'snapshot' && last.run?.runId === cold.runId && last;
    });
    assert.equal(snapshot.run?.epochs.length, 2);
    assert.equal(snapshot.run.state, 'completed');
    assert.ok(snapshot.run.log.length > 0);
  });

  it('opens the log, copies the id, pins and unpins', async () => {
    const node = { type: 'run', runId: cold.runId };
    await run('showLog', node);
    const path = window.activeTextEditor?.document.uri.fsPath ?? '';
    assert.ok(path.endsWith(join(cold.runId, 'training.log')), path);
    await run('copyRunId', node);
    assert.equal(await env.clipboard.readText(), cold.runId);
    await run('pinRun', node);
    await eventually(api, () => api.runs.some(({ runId, pinned }) => runId === cold.runId && pinned));
    await run('unpinRun', node);
    await eventually(api, () => api.runs.every(({ pinned }) => !pinned));
  });

  it('opens a checkpoint in the inspector', async () => {
    await run('inspectCheckpoint', { type: 'checkpoint', runId: cold.runId, file: 'best.safetensors' });
    const input: unknown = window.tabGroups.activeTabGroup.activeTab?.input;
    assert.ok(input instanceof TabInputCustom);
    assert.equal(input.viewType, VIEWS.checkpointEditor);
    assert.ok(input.uri.fsPath.endsWith('best.safetensors'));
    assert.ok(existsSync(input.uri.fsPath));
    await commands.executeCommand('workbench.action.closeActiveEditor');
  });

  it('opens any file of that kind in the inspector by a click', async () => {
    const uri = Uri.file(cold.result?.output ?? '');
    await commands.executeCommand('vscode.open', uri);
    const input: unknown = window.tabGroups.activeTabGroup.activeTab?.input;
    assert.ok(input instanceof TabInputCustom);
    await commands.executeCommand('workbench.action.closeActiveEditor');
  });

  it('stops a run and keeps its checkpoint', async () => {
    await setDefaultParameters({ ...SMALL, epochs: 500 });
    const ended = nextEnd(api, newestId());
    await run('train');
    await eventually(api, () => /training [1-9]/.test(api.statusText));
    await run('stop');
    const stopped = await ended;
    assert.equal(stopped.state, 'stopped');
    assert.ok(stopped.checkpoints.some(({ kind }) => kind === 'last'));
    await eventually(api, () => api.container.state === 'warm');
  });

  it('marks a run without data as failed, and trains after that', async () => {
    await setDefaultParameters({ ...SMALL, data_dir: 'no such folder "é"' });
    let ended = nextEnd(api, newestId());
    await run('train');
    const failed = await ended;
    assert.equal(failed.state, 'failed');
    assert.match(failed.result?.error?.message ?? '', /no such folder "é"/);
    assert.equal(failed.params.data_dir, join(workspaceFolder(), 'no such folder "é"'));
    await setDefaultParameters({ ...SMALL, epochs: 1 });
    ended = nextEnd(api, failed.runId);
    await run('train');
    assert.equal((await ended).state, 'completed');
  });

  it('takes no parameters that make no sense', async () => {
    const before = api.runs.length;
    await setDefaultParameters({ ...SMALL, batch_size: 0 });
    await run('train');
    assert.equal(api.runs.length, before);
    assert.equal(api.container.state, 'warm');
    await setDefaultParameters(SMALL);
  });

  it('cools down, warms up and cools down', async () => {
    await run('coolDown');
    await eventually(api, () => api.container.state === 'cold');
    assert.equal(api.statusText, '$(circle-outline) Tiny Cats: cold');
    await run('warmUp');
    await eventually(api, () => api.container.state === 'warm');
    await run('coolDown');
    await eventually(api, () => api.container.state === 'cold');
  });

  it('keeps everything of a run in the outputs folder', () => {
    const dir = join(cold.result?.output ?? '', '..');
    assert.ok(dir.startsWith(join(workspaceFolder(), 'outputs', 'checkpoints', 'classifier')), dir);
    for (const name of ['best.safetensors', 'last.safetensors', 'training.log', 'events.jsonl', 'run.json']) {
      assert.ok(readFileSync(join(dir, name)).length > 0, name);
    }
  });
});
