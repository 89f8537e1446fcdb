import assert from 'node:assert/strict';
import type { ContainerView } from '../../../src/protocol/panel';
import {
  actions,
  containerBadge,
  progressTexts,
  queueText,
  shortId,
  startText,
  stateBadge,
  timeText,
} from '../../../webview/panel/headline';
import { epoch, runAfter, start, step } from './runs';

const container: ContainerView = {
  state: 'warm',
  link: 'connected',
  target: 'local',
  engine: 'wasm',
  device: 'CPU',
  deviceFacts: null,
  heldMemory: null,
  restartNeeded: null,
  enterPhases: [],
  stalledRun: null,
  idleRemainingMs: null,
  problem: null,
};
const running = runAfter(start('warm'), { type: 'state', state: 'training' });
const stopping = runAfter(start('warm'), { type: 'state', state: 'stopping' });
const ended = runAfter(start('warm'), {
  type: 'result',
  status: 'completed',
  output: null,
  val_acc: null,
  start: 'warm',
  time_to_first_step_ms: 84,
});

describe('buttons of the panel', () => {
  it('offer training and no rerun where nothing was trained', () => {
    assert.deepEqual(actions(null, container, true, false), { train: true, rerun: false, stop: 'hidden' });
  });

  it('offer a stop while a run goes on, and a kill after the stop was asked for', () => {
    assert.deepEqual(actions(running, container, true, false), { train: false, rerun: false, stop: 'stop' });
    assert.equal(actions(running, container, true, true).stop, 'kill');
    assert.equal(actions(stopping, container, true, false).stop, 'kill');
  });

  it('offer train and rerun after the end, if the container is free and training allowed', () => {
    assert.deepEqual(actions(ended, container, true, true), { train: true, rerun: true, stop: 'hidden' });
    assert.equal(actions(ended, { ...container, state: 'training' }, true, false).rerun, false);
    assert.equal(actions(ended, container, false, false).train, false);
  });
});

describe('headline of the panel', () => {
  it('says how the run started, and the time to the first step once it is known', () => {
    assert.equal(startText(runAfter(start('cold'))), 'Cold start');
    const run = runAfter(start('warm'), { type: 'first_step', time_to_first_step_ms: 84.3 });
    assert.equal(startText(run), 'Warm start · first step after 84 ms');
    const restore = { name: 'restore', scope: 'enter', startMs: 0, durationMs: 600 } as const;
    const restored = runAfter(start('warm'), { type: 'phase', phase: restore });
    assert.equal(startText(restored), 'Restored from a snapshot');
  });

  it('says where the training is', () => {
    assert.deepEqual(progressTexts(runAfter(start('warm'), step(2, 3, 0.5))), [
      'Epoch 2/3',
      'Step 3/4',
      '1,240 images/s',
    ]);
    const later = progressTexts(runAfter(start('warm'), epoch(1, 0.942), step(2, 3, 0.5)));
    assert.equal(later.at(-1), 'Best val acc 94.2%');
    assert.deepEqual(progressTexts(runAfter(start('cold'))), ['Waiting for the container']);
    assert.deepEqual(progressTexts(ended), []);
  });

  it('says what a run waits for, and that it stalls', () => {
    const queued = runAfter(start('warm'), {
      type: 'state',
      state: 'queued',
      message: 'Waits for run r1 to end',
    });
    assert.deepEqual(progressTexts(queued), ['Waits for run r1 to end']);
    const message = 'Attempt 2 of 4 begins in 10 s, from the last checkpoint';
    const retrying = runAfter(start('warm'), step(2, 3, 0.5), { type: 'state', state: 'retrying', message });
    assert.deepEqual(progressTexts(retrying), [message]);
    const told = { type: 'state', state: 'retrying', message, retryInMs: 10_000 } as const;
    const waits = runAfter(
      start('warm'),
      { type: 'first_step', time_to_first_step_ms: 9 },
      step(2, 3, 0.5),
      told,
    );
    assert.equal(timeText(waits, false, 6500), 'next attempt in 8 s · 0:05 elapsed');
    const trains = runAfter(start('warm'), { type: 'first_step', time_to_first_step_ms: 9 }, step(2, 3, 0.5));
    assert.match(timeText(trains, false, 3500), /^about \d+ s left · 0:02 elapsed$/);
    assert.equal(timeText(trains, true, 3500), '0:02 elapsed');
    assert.equal(queueText({ ...container, queued: 2 }), '2 runs wait');
    assert.equal(queueText(container), '');
    assert.equal(stateBadge('training', true).label, 'Stalled');
    assert.equal(stateBadge('completed', true).label, 'Completed');
  });

  it('says that the link is being restored while the run goes on', () => {
    const badge = containerBadge({ ...container, state: 'training', link: 'reconnecting' });
    assert.equal(badge.label, 'Container training, reconnecting');
  });

  it('tells runs apart by the end of their ids', () => {
    assert.equal(shortId('20250131-120000-a1b2c3'), 'a1b2c3');
    assert.equal(shortId('r'), 'r');
  });
});
