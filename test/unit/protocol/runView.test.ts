import assert from 'node:assert/strict';
import type { RunEvent, RunEventBody } from '../../../src/protocol/events';
import type { RunView } from '../../../src/protocol/runView';
import {
  applyEvent,
  bestEpoch,
  emptyRunView,
  MAX_LOG_LINES,
  progress,
  timeLeftMs,
} from '../../../src/protocol/runView';

/** Numbers the events and stamps them 100 ms apart, from 1000 on. */
function events(...bodies: RunEventBody[]): RunEvent[] {
  return bodies.map((body, index) => ({ runId: 'r', seq: index + 1, time: 1000 + index * 100, ...body }));
}

function viewOf(list: readonly RunEvent[]): RunView {
  const view = emptyRunView('r');
  list.forEach((event) => applyEvent(view, event));
  return view;
}

function step(epoch: number, at: number, loss = 1): RunEventBody {
  return { type: 'step', epoch, epochs: 2, step: at, steps: 4, loss, lr: 0.1, images_per_second: 9 };
}

function epoch(number: number, val_acc: number): RunEventBody {
  const scores = {
    train_loss: 1,
    train_acc: 0.5,
    val_loss: 1,
    val_acc,
    lr: 0.1,
    images_per_second: 9,
    time_s: 1,
  };
  return { type: 'epoch', epoch: number, epochs: 2, ...scores };
}

const RUN: RunEventBody = {
  type: 'run',
  recipe: 'classifier',
  params: { epochs: 2 },
  start: 'warm',
  containerId: 'c',
};

describe('view of a run', () => {
  it('takes in every kind of event', () => {
    const phase = { name: 'model', scope: 'run', startMs: 1, durationMs: 2 } as const;
    const dataset = {
      type: 'dataset',
      dir: 'd',
      classes: [{ name: 'cat', images: 2 }],
      train: 1,
      val: 1,
      skipped: [],
    } as const;
    const best = { kind: 'best', file: 'best.safetensors', bytes: 1, epoch: 1, val_acc: 0.5 } as const;
    const result = {
      status: 'completed',
      output: '/o',
      val_acc: 0.5,
      start: 'warm',
      time_to_first_step_ms: 40,
    } as const;
    const list = events(
      RUN,
      { type: 'engine', engine: 'wasm', device: 'CPU' },
      { type: 'state', state: 'training' },
      { type: 'phase', phase },
      { type: 'log', level: 'warning', text: 'hm' },
      { ...dataset, classes: [...dataset.classes], skipped: [] },
      { type: 'first_step', time_to_first_step_ms: 40 },
      step(1, 1, 0.7),
      epoch(1, 0.5),
      { type: 'checkpoint', ...best, bytes: 2 },
      { type: 'checkpoint', ...best },
      { type: 'result', ...result },
    );
    const view = viewOf(list);
    assert.deepEqual(view, {
      ...emptyRunView('r'),
      recipe: 'classifier',
      params: { epochs: 2 },
      start: 'warm',
      engine: 'wasm',
      device: 'CPU',
      state: 'completed',
      createdAt: 1000,
      phases: [phase],
      log: [{ seq: 5, time: 1400, level: 'warning', text: 'hm' }],
      dataset: list[5],
      firstStepAt: 1600,
      timeToFirstStepMs: 40,
      step: list[7],
      losses: [{ x: 0.25, loss: 0.7 }],
      epochs: [list[8]],
      checkpoints: [best],
      endedAt: 2100,
      result,
      lastSeq: 12,
    });
  });

  it('keeps the reason of a failure', () => {
    const error = { code: 'data', message: 'no images' };
    const view = viewOf(
      events(RUN, {
        type: 'result',
        status: 'failed',
        output: null,
        val_acc: null,
        start: 'cold',
        time_to_first_step_ms: null,
        error,
      }),
    );
    assert.equal(view.state, 'failed');
    assert.deepEqual(view.result?.error, error);
  });

  it('passes over what it knows and refuses what leaves a gap', () => {
    const list = events(
      RUN,
      { type: 'log', level: 'info', text: 'a' },
      { type: 'log', level: 'info', text: 'b' },
    );
    const [first, second, third] = list;
    assert.ok(first && second && third);
    const view = viewOf([first, second, second, first]);
    assert.equal(view.log.length, 1);
    assert.throws(() => applyEvent(view, { ...third, seq: 5 }), /run r: event 3 is missing before 5/);
    assert.equal(view.lastSeq, 2);
    applyEvent(view, third);
    assert.deepEqual(view, viewOf(list));
  });

  it('keeps the newest lines of a long log and counts the rest', () => {
    const lines = Array.from({ length: MAX_LOG_LINES + 3 }, (_, index) => `line ${index}`);
    const view = viewOf(events(...lines.map((text) => ({ type: 'log', level: 'info', text }) as const)));
    assert.equal(view.log.length, MAX_LOG_LINES);
    assert.equal(view.droppedLogLines, 3);
    assert.equal(view.log[0]?.text, 'line 3');
  });

  it('thins out the losses of a long run, the newest included and in order', () => {
    const view = emptyRunView('r');
    for (let at = 1; at <= 9000; at += 1) {
      const body = { ...step(1, 1, at), epoch: at };
      applyEvent(view, { runId: 'r', seq: at, time: at, ...body });
    }
    assert.ok(view.losses.length > 1000 && view.losses.length <= 4000, `${view.losses.length}`);
    assert.equal(view.losses.at(-1)?.loss, 9000);
    assert.deepEqual(
      view.losses.map(({ x }) => x),
      view.losses.map(({ x }) => x).sort((a, b) => a - b),
    );
  });

  it('has the earliest of the best epochs', () => {
    assert.equal(bestEpoch(emptyRunView('r')), undefined);
    assert.equal(bestEpoch(viewOf(events(epoch(1, 0.4), epoch(2, 0.9), epoch(3, 0.9))))?.epoch, 2);
  });

  it('tells how much is done and how long the rest will take', () => {
    const firstStep: RunEventBody = { type: 'first_step', time_to_first_step_ms: 1 };
    const empty = viewOf(events(RUN, firstStep));
    assert.equal(progress(empty), 0);
    assert.equal(timeLeftMs(empty, 5000), null);

    // The first step's end is at 1000; half of all is done 300 ms later.
    const half = viewOf(events(firstStep, step(1, 1), step(1, 2), step(1, 4)));
    assert.equal(progress(half), 0.5);
    assert.equal(timeLeftMs(half, 1300), 300);
    assert.equal(timeLeftMs(half, 1400), 200);
    assert.equal(timeLeftMs(half, 9999), 0);
    assert.equal(progress(viewOf(events(firstStep, step(2, 4)))), 1);

    const result = {
      status: 'stopped',
      output: null,
      val_acc: null,
      start: 'warm',
      time_to_first_step_ms: 1,
    } as const;
    assert.equal(
      timeLeftMs(viewOf(events(firstStep, step(1, 4), { type: 'result', ...result })), 1300),
      null,
    );
  });

  it('is cut back to where the run goes on, and shows each epoch once', () => {
    const lost = [RUN, step(1, 2), step(1, 4), epoch(1, 0.5), step(2, 2), step(2, 4), epoch(2, 0.75)];
    const resumedAt = (number: number, at: number): RunView =>
      viewOf(events(...lost, { type: 'resumed', epoch: number, step: at, from: 'last.safetensors' }));

    const afterFirst = resumedAt(1, 0);
    assert.deepEqual(
      afterFirst.epochs.map((row) => row.epoch),
      [1],
    );
    assert.deepEqual(
      afterFirst.losses.map(({ x }) => x),
      [0.5, 1],
    );
    assert.equal(progress(afterFirst), 0.5);
    const midway = resumedAt(1, 2);
    assert.equal(midway.losses.at(-1)?.x, 1.5);
    assert.equal(progress(midway), 0.75);
    const anew = resumedAt(0, 0);
    assert.deepEqual([anew.epochs, anew.losses, anew.step], [[], [], null]);
  });
});
