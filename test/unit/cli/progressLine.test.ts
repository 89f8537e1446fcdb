import assert from 'node:assert/strict';
import { progressLine } from '../../../src/cli/progressLine';
import { displayWidth } from '../../../src/cli/text';
import { applyEvent, emptyRunView } from '../../../src/protocol/runView';
import { RUN_ID, begun, eventsOf, step } from './events';

describe('progress line', () => {
  const view = emptyRunView(RUN_ID);
  for (const event of eventsOf(
    begun('warm'),
    { type: 'first_step', time_to_first_step_ms: 100 },
    step(1, 1),
    step(1, 2),
  )) {
    applyEvent(view, event);
  }

  it('shows epoch, step, loss, pace and time left', () => {
    assert.equal(
      progressLine(view, 120, 4000),
      '[=====               ] epoch 1/2 step 2/4 | loss 0.5000 | 512 images/s | 0:06 left',
    );
  });

  it('never takes the whole width, however narrow the terminal', () => {
    for (let columns = 1; columns < 120; columns += 1) {
      const line = progressLine(view, columns, 4000);
      assert.ok(displayWidth(line) < columns, `${columns}: ${line}`);
    }
    assert.equal(progressLine(view, 30, 4000), 'epoch 1/2 | 0:06 left');
    assert.equal(progressLine(view, 12, 4000), 'epoch 1/2');
  });

  it('is empty before the first progress', () => {
    assert.equal(progressLine(emptyRunView(RUN_ID), 80, 0), '');
  });
});
