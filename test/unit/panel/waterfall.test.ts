import assert from 'node:assert/strict';
import type { Phase } from '../../../src/protocol/events';
import { barPlace, formatTimes, layoutStart, timesFaster } from '../../../webview/panel/waterfall';
import { runAfter, start } from './runs';

function phase(name: string, startMs: number, durationMs: number, within?: string): Phase {
  return { name, scope: 'enter', startMs, durationMs, ...(within === undefined ? {} : { within }) };
}

describe('waterfall of a start', () => {
  it('shows parts under their whole, whatever the order they came in', () => {
    const { rows } = layoutStart(
      [
        phase('warm-up', 650, 590, 'device'),
        phase('import', 200, 400),
        phase('compile', 700, 100, 'warm-up'),
        phase('device', 600, 640),
        phase('process', 0, 200),
      ],
      null,
    );
    assert.deepEqual(
      rows.map(({ name, depth }) => [name, depth]),
      [
        ['process', 0],
        ['import', 0],
        ['device', 0],
        ['warm-up', 1],
        ['compile', 2],
      ],
    );
  });

  it('ends with the first step, which gets a bar of what no phase accounts for', () => {
    const fall = layoutStart([phase('model', 0, 20)], 100);
    assert.equal(fall.totalMs, 100);
    assert.equal(fall.complete, true);
    assert.deepEqual(fall.rows.at(-1), {
      name: 'first step',
      scope: 'rest',
      startMs: 20,
      durationMs: 80,
      depth: 0,
    });
  });

  it('grows with its phases until the first step', () => {
    const fall = layoutStart([phase('process', 0, 200), phase('import', 200, 300)], null);
    assert.equal(fall.totalMs, 500);
    assert.equal(fall.complete, false);
    assert.equal(fall.rows.length, 2);
  });

  it('keeps every phase where wholes are missing or go round in circles', () => {
    const names = (phases: Phase[]) => layoutStart(phases, null).rows.map(({ name }) => name);
    assert.deepEqual(names([phase('a', 0, 1, 'gone')]), ['a']);
    assert.deepEqual(names([phase('a', 0, 1, 'a')]), ['a']);
    assert.deepEqual(names([phase('a', 0, 2, 'b'), phase('b', 0, 1, 'a')]).sort(), ['a', 'b']);
  });

  it('places bars on the common scale and inside it', () => {
    assert.deepEqual(barPlace({ startMs: 50, durationMs: 100 }, 200), [0.25, 0.5]);
    assert.deepEqual(barPlace({ startMs: 150, durationMs: 100 }, 200), [0.75, 0.25]);
    assert.deepEqual(barPlace({ startMs: 0, durationMs: 0 }, 0), [0, 0]);
  });
});

describe('the promise of a warm start', () => {
  const cold = { runId: 'cold', phases: [], timeToFirstStepMs: 820 };
  const warm = runAfter(start('warm'), { type: 'first_step', time_to_first_step_ms: 84 });

  it('is the ratio of the times to the first step', () => {
    const times = timesFaster(warm, cold);
    assert.ok(times !== null);
    assert.equal(formatTimes(times), '9.8×');
    assert.equal(formatTimes(34.2), '34×');
  });

  it('is not made where a time is missing, the run was cold or was no faster', () => {
    assert.equal(timesFaster(warm, null), null);
    assert.equal(timesFaster(warm, { ...cold, timeToFirstStepMs: null }), null);
    assert.equal(timesFaster(warm, { ...cold, timeToFirstStepMs: 85 }), null);
    assert.equal(timesFaster(runAfter(start('warm')), cold), null);
    const coldRun = runAfter(start('cold'), { type: 'first_step', time_to_first_step_ms: 84 });
    assert.equal(timesFaster(coldRun, cold), null);
  });
});
