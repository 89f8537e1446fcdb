import type { RunEvent, RunEventBody } from '../../../src/protocol/events';
import { emptyRunView, applyEvent } from '../../../src/protocol/runView';
import type { RunView } from '../../../src/protocol/runView';
import type { RunPrinter } from '../../../src/cli/runPrinter';

export const RUN_ID = '20250102-030405-abcdef';

/** Events of one run, a second apart. */
export function eventsOf(...bodies: RunEventBody[]): RunEvent[] {
  return bodies.map((body, index) => ({ runId: RUN_ID, seq: index + 1, time: (index + 1) * 1000, ...body }));
}

export const begun = (start: 'warm' | 'cold'): RunEventBody => ({
  type: 'run',
  recipe: 'classifier',
  params: { epochs: 2 },
  start,
  containerId: 'c',
});

export const step = (epoch: number, at: number): RunEventBody => ({
  type: 'step',
  epoch,
  epochs: 2,
  step: at,
  steps: 4,
  loss: 0.5,
  lr: 1e-4,
  images_per_second: 512.4,
});

/** Hands the events to the printer as a training does. */
export function print(printer: RunPrinter, events: readonly RunEvent[]): RunView {
  const view = emptyRunView(RUN_ID);
  for (const event of events) {
    applyEvent(view, event);
    printer.event(event, view);
  }
  if (view.result !== null) {
    printer.ended(view.result, view);
  }
  return view;
}
