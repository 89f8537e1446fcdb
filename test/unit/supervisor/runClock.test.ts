import assert from 'node:assert/strict';
import type { RunLimits } from '../../../src/container/supervisor/runClock';
import { RunClock } from '../../../src/container/supervisor/runClock';

describe('clock of a run', () => {
  /** What the clock tells, and a wait for the next thing that it tells. */
  function clockOf(limits: RunLimits): {
    clock: RunClock;
    told: string[];
    next: () => Promise<void>;
    heard: (what: string) => Promise<void>;
  } {
    const told: string[] = [];
    let wake: () => void = () => undefined;
    const tell = (what: string) => (): void => {
      told.push(what);
      wake();
    };
    const clock = new RunClock(() => limits, {
      timeoutSoon: tell('soon'),
      timedOut: tell('over'),
      stalled: tell('stalled'),
      goesOn: tell('goes on'),
    });
    const next = (): Promise<void> => new Promise((resolve) => (wake = resolve));
    const heard = async (what: string): Promise<void> => {
      while (!told.includes(what)) {
        await next();
      }
    };
    return { clock, told, next, heard };
  }

  it('warns, then tells that the time is over, and nothing after that', async () => {
    const { clock, told, heard } = clockOf({ runTimeoutMs: 50, stallTimeoutMs: 0 });
    clock.progress();
    await heard('over');
    assert.deepEqual(told, ['soon', 'over']);
    clock.check();
    assert.deepEqual(told, ['soon', 'over']);
  });

  it('tells of a stall once, of its end, and of the next one', async () => {
    const { clock, told, next } = clockOf({ runTimeoutMs: 0, stallTimeoutMs: 10 });
    clock.progress();
    await next();
    assert.equal(clock.stalled, true);
    clock.progress();
    assert.equal(clock.stalled, false);
    await next();
    assert.deepEqual(told, ['stalled', 'goes on', 'stalled']);
    clock.stop();
  });

  it('takes limits longer than any timer, and counts no stall while nothing can move', async () => {
    const limits = { runTimeoutMs: 1e12, stallTimeoutMs: 5 };
    const { clock, told, heard } = clockOf(limits);
    clock.progress();
    clock.pause();
    limits.runTimeoutMs = 30;
    clock.check();
    await heard('over');
    assert.deepEqual(told, ['soon', 'over']);
  });
});
