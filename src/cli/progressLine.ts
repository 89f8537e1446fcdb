import type { RunView } from '../protocol/runView';
import { progress, timeLeftMs } from '../protocol/runView';
import { clockText, ofText } from './format';
import { displayWidth } from './text';

const BAR_COLUMNS = 20;

/**
 * The line that is redrawn while a run trains, e.g.
 * `[=====               ] epoch 3/10 step 4/15 | loss 0.4123 | 512 images/s | 0:07 left`.
 * Of what does not fit below `columns`, so that it never wraps, the bar goes first, then the pace, then the step.
 * Empty before the first progress.
 */
export function progressLine(view: RunView, columns: number, now: number): string {
  const { step } = view;
  if (step === null) {
    return '';
  }
  const filled = Math.round(progress(view) * BAR_COLUMNS);
  const leftMs = timeLeftMs(view, now);
  const epochText = `epoch ${ofText(step.epoch, step.epochs)}`;
  const stepText = `step ${ofText(step.step, step.steps)}`;
  const parts = {
    bar: `[${'='.repeat(filled)}${' '.repeat(BAR_COLUMNS - filled)}] `,
    epoch: step.span === 'run' ? stepText : epochText,
    step: ` ${step.span === 'run' ? epochText : stepText}`,
    loss: step.loss === undefined ? '' : ` | loss ${step.loss.toFixed(4)}`,
    pace: step.images_per_second === undefined ? '' : ` | ${Math.round(step.images_per_second)} images/s`,
    left: leftMs === null ? '' : ` | ${clockText(leftMs)} left`,
  };
  const order = ['bar', 'pace', 'step', 'loss', 'left', 'epoch'] as const;
  for (let dropped = 0; dropped < order.length; dropped += 1) {
    const kept = new Set<keyof typeof parts>(order.slice(dropped));
    const names: readonly (keyof typeof parts)[] = ['bar', 'epoch', 'step', 'loss', 'pace', 'left'];
    const line = names.map((name) => (kept.has(name) ? parts[name] : '')).join('');
    if (displayWidth(line) < columns) {
      return line;
    }
  }
  return '';
}
