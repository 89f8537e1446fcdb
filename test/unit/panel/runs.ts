import type { RunEvent, RunEventBody } from '../../../src/protocol/events';
import type { RunView } from '../../../src/protocol/runView';
import { applyEvent, emptyRunView } from '../../../src/protocol/runView';

/** The `seq`-th event of run "r". */
export function event(seq: number, body: RunEventBody): RunEvent {
  return { runId: 'r', seq, time: 1000 * seq, ...body };
}

/** A run after these events. */
export function runAfter(...bodies: RunEventBody[]): RunView {
  const view = emptyRunView('r');
  bodies.forEach((body, index) => applyEvent(view, event(index + 1, body)));
  return view;
}

export function step(epoch: number, ofEpoch: number, loss: number): RunEventBody {
  return { type: 'step', epoch, epochs: 3, step: ofEpoch, steps: 4, loss, lr: 1e-3, images_per_second: 1240 };
}

export function epoch(number: number, valAcc: number): RunEventBody {
  return {
    type: 'epoch',
    epoch: number,
    epochs: 3,
    train_loss: 0.5 / number,
    train_acc: 0.9,
    val_loss: 0.6 / number,
    val_acc: valAcc,
    lr: 3e-4,
    images_per_second: 1240.4,
    time_s: 3.954,
  };
}

export function start(kind: 'warm' | 'cold'): RunEventBody {
  return {
    type: 'run',
    recipe: 'classifier',
    params: { epochs: 3 },
    start: kind,
    containerId: 'c',
  };
}

/** Progress of a run that counts steps. */
export function stepOfRun(step: number, loss: number): RunEventBody {
  return {
    type: 'step',
    span: 'run',
    epoch: 1,
    epochs: 2,
    step,
    steps: 40,
    loss,
    lr: 1e-3,
    images_per_second: 160,
  };
}

export function metrics(step: number, values: Record<string, number>): RunEventBody {
  return { type: 'metrics', step, steps: 40, values };
}

export function sample(step: number): RunEventBody {
  const file = `samples/step-${String(step).padStart(6, '0')}.png`;
  return { type: 'sample', step, file, labels: ['cat', 'cat', 'other', 'other'], columns: 2 };
}
