import assert from 'node:assert/strict';
import { Follower } from '../../../src/client/follower';
import type { RunEvent } from '../../../src/protocol/events';

function event(seq: number): RunEvent {
  return { runId: 'r', seq, time: seq, type: 'log', level: 'info', text: String(seq) };
}

const RESULT: RunEvent = {
  runId: 'r',
  seq: 4,
  time: 4,
  type: 'result',
  status: 'completed',
  output: null,
  val_acc: null,
  start: 'warm',
  time_to_first_step_ms: null,
};

describe('follower', () => {
  it('hands on every event once and in order, whichever way it came', () => {
    const heard: number[][] = [];
    const follower = new Follower('r', 0, (events) => heard.push(events.map(({ seq }) => seq)));
    assert.equal(follower.take([event(1)]), true);
    assert.equal(follower.take([event(1), event(2), event(3)]), true);
    assert.equal(follower.take([event(2)]), true);
    assert.equal(follower.take([]), true);
    assert.deepEqual(heard, [[1], [2, 3]]);
    assert.equal(follower.ended, false);
    follower.take([RESULT]);
    assert.deepEqual([follower.lastSeq, follower.ended], [4, true]);
  });

  it('says that something is missing and hands on nothing after the gap', () => {
    const heard: RunEvent[] = [];
    const follower = new Follower('r', 1, (events) => heard.push(...events));
    assert.equal(follower.take([event(3)]), false);
    assert.deepEqual([follower.lastSeq, heard.length], [1, 0]);
    assert.equal(follower.take([event(2), event(3)]), true);
    assert.deepEqual(heard, [event(2), event(3)]);
  });
});
