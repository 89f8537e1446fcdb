import type { RunEvent } from '../protocol/events';
import type { Trial } from '../protocol/sweep';

/**
 * What an event of a trial's run changes in the trial. The events of a run may come again from the first one, and
 * those of a run that goes on with another follow those of that one.
 */
export function afterEvent(trial: Trial, event: RunEvent): Trial {
  switch (event.type) {
    case 'run':
      return event.resumedFrom === undefined ? { ...trial, ...withCurve([]), epoch: 0, loss: null } : trial;
    case 'resumed':
      return { ...trial, ...withCurve(trial.curve.slice(0, event.epoch)), epoch: event.epoch };
    case 'step':
      return { ...trial, epoch: event.epoch, epochs: event.epochs, loss: event.loss ?? trial.loss };
    case 'epoch':
      return {
        ...trial,
        // The user's own code may leave it out.
        ...(event.val_acc === undefined
          ? {}
          : withCurve([...trial.curve.slice(0, event.epoch - 1), event.val_acc])),
        epoch: event.epoch,
        epochs: event.epochs,
        loss: event.train_loss ?? trial.loss,
      };
    case 'result':
      return { ...trial, best: event.val_acc ?? trial.best };
    case 'engine':
    case 'state':
    case 'phase':
    case 'log':
    case 'dataset':
    case 'first_step':
    case 'metrics':
    case 'sample':
    case 'checkpoint':
    case 'device':
    case 'files':
    case 'held_memory':
    case 'restart_needed':
      return trial;
  }
}

function withCurve(curve: number[]): Pick<Trial, 'curve' | 'best'> {
  return { curve, best: curve.length === 0 ? null : Math.max(...curve) };
}
