import assert from 'node:assert/strict';
import type { LiveProgress } from '../../../src/host/container/liveRun';
import { actionChoices } from '../../../src/host/commands/showActions';
import { escapeMarkdown, formatBytes, formatDuration, formatPercent } from '../../../src/host/format';
import { checkpointItem, runItem } from '../../../src/host/history/runItem';
import { statusText } from '../../../src/host/statusBar/statusText';
import type { ContainerView } from '../../../src/protocol/panel';
import type { RunRecord } from '../../../src/protocol/run';

const cold: ContainerView = {
  state: 'cold',
  link: 'none',
  target: 'local',
  engine: '',
  device: '',
  deviceFacts: null,
  heldMemory: null,
  restartNeeded: null,
  enterPhases: [],
  stalledRun: null,
  idleRemainingMs: null,
  problem: null,
};
const warm: ContainerView = {
  ...cold,
  state: 'warm',
  link: 'connected',
  engine: 'wasm',
  device: 'SIMD',
  idleRemainingMs: 90_000,
};
const live: LiveProgress = { runId: 'r1', state: 'training', epoch: 3, epochs: 10, stalled: false };
const record: RunRecord = {
  schemaVersion: 1,
  runId: '20260131-140501-abcdef',
  recipe: 'classifier',
  params: { data_dir: '/cats/[x](command:evil) <img src=x> | b', epochs: 10 },
  engine: 'wasm',
  device: 'SIMD',
  target: 'local',
  containerId: 'c1',
  start: 'warm',
  state: 'completed',
  createdAt: '2026-01-31T14:05:01.000Z',
  endedAt: '2026-01-31T14:05:33.000Z',
  timeToFirstStepMs: 120,
  best: { epoch: 8, val_acc: 0.912 },
  checkpoints: [{ kind: 'best', file: 'best.safetensors', bytes: 402_000, epoch: 8, val_acc: 0.912 }],
  pinned: false,
};

describe('texts', () => {
  it('say durations, shares and sizes', () => {
    assert.deepEqual([12.4, 4200, 32_400, 59_700, 185_000, 7_800_000].map(formatDuration), [
      '12 ms',
      '4.2 s',
      '32 s',
      '1 min 0 s',
      '3 min 5 s',
      '2 h 10 min',
    ]);
    assert.equal(formatPercent(0.912), '91.2%');
    assert.deepEqual([12, 1234, 4_020_000].map(formatBytes), ['12 B', '1.2 kB', '4.0 MB']);
  });

  it('say of a container that makes no progress warming up that it stalls', () => {
    const warming: ContainerView = { ...cold, state: 'warming', link: 'connected' };
    assert.equal(statusText(warming, undefined, 0).text, '$(sync~spin) Tiny Cats: warming');
    const stalled = { ...warming, warmUpStalled: true };
    assert.equal(statusText(stalled, undefined, 0).text, '$(warning) Tiny Cats: warming, stalled');
  });

  it('escape names, so that they are only text', () => {
    assert.equal(escapeMarkdown('[a](command:b)'), '\\[a\\]\\(command\\:b\\)');
    assert.equal(escapeMarkdown('$(flame) <b>|'), '\\$\\(flame\\) \\<b\\>\\|');
    assert.equal(escapeMarkdown('a\nb'), 'a b');
  });
});

describe('status bar text', () => {
  const text = (view: ContainerView, progress?: LiveProgress) => statusText(view, progress, 0).text;

  it('says the state in a word', () => {
    assert.equal(text(cold), '$(circle-outline) Tiny Cats: cold');
    assert.equal(text({ ...cold, state: 'warming' }), '$(sync~spin) Tiny Cats: warming');
    assert.equal(text(warm), '$(flame) Tiny Cats: warm, 2 min left');
    assert.equal(text({ ...warm, idleRemainingMs: 41_000 }), '$(flame) Tiny Cats: warm, 45 s left');
    assert.equal(text({ ...warm, idleRemainingMs: null }), '$(flame) Tiny Cats: warm');
    assert.equal(text({ ...warm, state: 'training' }, live), '$(sync~spin) Tiny Cats: training 3/10');
    assert.equal(text({ ...warm, state: 'training' }), '$(sync~spin) Tiny Cats: training');
    assert.equal(
      text({ ...warm, state: 'training', link: 'reconnecting' }, live),
      '$(sync~spin) Tiny Cats: reconnecting',
    );
  });

  it('says what keeps a run from going on', () => {
    const training: ContainerView = { ...warm, state: 'training' };
    assert.equal(text(training, { ...live, state: 'retrying' }), '$(sync~spin) Tiny Cats: retrying');
    assert.equal(text(training, { ...live, state: 'stopping' }), '$(sync~spin) Tiny Cats: stopping');
    assert.equal(text(training, { ...live, stalled: true }), '$(warning) Tiny Cats: stalled 3/10');
  });

  it('takes cold as normal, and warns only of a failed start', () => {
    const sweep = statusText(cold, undefined, 0, { ended: 3, total: 8 });
    assert.equal(sweep.text, '$(sync~spin) Tiny Cats: sweep 3/8');
    assert.equal(statusText(cold, undefined, 0).warning, false);
    const failed = statusText({ ...cold, problem: 'no room' }, undefined, 0);
    assert.equal(failed.warning, true);
    assert.match(failed.tooltip, /no room/);
  });

  it('tells engine, start-up and what is left of the window in the tooltip', () => {
    const { tooltip } = statusText(
      { ...warm, enterPhases: [{ name: 'module import', scope: 'enter', startMs: 0, durationMs: 420 }] },
      undefined,
      0,
    );
    assert.match(tooltip, /wasm, SIMD/);
    assert.match(tooltip, /module import \| 420 ms/);
    assert.match(tooltip, /1 min 30 s/);
  });
});

describe('history items', () => {
  it('say accuracy, duration and start', () => {
    const item = runItem(record, undefined);
    assert.equal(item.description, 'val_acc 91.2% · 32 s · warm');
    assert.match(item.label, /^2026-0\d-\d\d \d\d:\d\d classifier$/);
    assert.equal(item.icon.id, 'pass');
    assert.equal(item.contextValue, 'run ended unpinned');
  });

  it('say how far a run is', () => {
    const running: RunRecord = { ...record, state: 'training', checkpoints: [] };
    const item = runItem(running, live);
    assert.match(item.description, /^training · epoch 3\/10/);
    assert.equal(item.icon.id, 'loading~spin');
    assert.equal(item.contextValue, 'run live unpinned');
    assert.match(
      runItem(record, live).description,
      /^val_acc/,
      'its record has ended before the last event came',
    );
    assert.equal(runItem(running, { ...live, state: 'stopping' }).contextValue, 'run live stopping unpinned');
  });

  it('name the target of a run that is not on this machine, and offer what can be done from here', () => {
    const chosen = runItem(record, undefined, { target: 'box', isElsewhere: false });
    assert.equal(chosen.description, 'val_acc 91.2% · 32 s · warm · box');
    assert.equal(chosen.contextValue, 'run ended unpinned');
    const elsewhere = { target: 'box', isElsewhere: true };
    assert.equal(runItem(record, undefined, elsewhere).contextValue, 'run ended');
    const running: RunRecord = { ...record, state: 'training' };
    assert.equal(runItem(running, undefined, elsewhere).contextValue, 'run', 'Stop would mean another run');
    const [checkpoint] = record.checkpoints;
    assert.ok(checkpoint !== undefined);
    assert.equal(checkpointItem(checkpoint, record.runId, true).contextValue, 'checkpoint remote');
  });

  it('say that a run stalls', () => {
    const item = runItem({ ...record, state: 'training' }, { ...live, stalled: true });
    assert.match(item.description, /^stalled · epoch 3\/10/);
    assert.equal(item.icon.id, 'warning');
  });

  it('show a run of a newer version, and offer nothing that would write it', () => {
    const item = runItem({ ...record, newer: true }, undefined);
    assert.equal(item.description, 'of a newer version, read-only · val_acc 91.2%');
    assert.equal(item.icon.id, 'lock');
    assert.equal(item.contextValue, 'run');
  });

  it('say why a run failed, without links from its data', () => {
    const failed: RunRecord = {
      ...record,
      state: 'failed',
      result: {
        status: 'failed',
        output: null,
        val_acc: null,
        start: 'warm',
        time_to_first_step_ms: null,
        error: { code: 'data', message: 'No images in [here](http://x)' },
      },
    };
    const item = runItem(failed, undefined);
    assert.equal(item.icon.id, 'error');
    assert.match(item.tooltip, /No images in \\\[here\\\]/);
    assert.doesNotMatch(item.tooltip, /[^\\]\]\(command/);
    assert.doesNotMatch(item.tooltip, /[^\\]<img/);
  });

  it('show a checkpoint with epoch, accuracy and size', () => {
    const [checkpoint] = record.checkpoints;
    assert.ok(checkpoint);
    const item = checkpointItem(checkpoint, record.runId);
    assert.equal(item.label, 'best');
    assert.equal(item.description, 'epoch 8 · val_acc 91.2% · 402.0 kB');
  });
});

describe('what the status item offers', () => {
  const base = { view: warm, isRunning: false, isStopping: false, mayTrain: true, hasRuns: true };
  const commands = (state: Partial<typeof base>) =>
    actionChoices({ ...base, ...state }).map(({ command }) => command);

  it('is what can be done now', () => {
    assert.deepEqual(commands({}), [
      'train',
      'rerun',
      'showPanel',
      'showLog',
      'coolDown',
      'selectTarget',
      'selectDataFolder',
    ]);
    assert.ok(commands({ view: cold }).includes('warmUp'));
    assert.equal(commands({ isRunning: true })[0], 'stop');
    assert.equal(commands({ isRunning: true, isStopping: true })[0], 'stopNow');
    assert.deepEqual(commands({ mayTrain: false }), ['showPanel', 'showLog']);
  });
});
