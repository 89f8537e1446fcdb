import type { ContainerPolicy } from '../../protocol/rpc';
import type { ActiveRun, Outcome } from './activeRun';
import { RunClock } from './runClock';

export interface RunWarningsListener {
  /** The run's log has one more warning. */
  warned(): void;
  /** The run is to end like this. */
  force(outcome: Outcome): void;
}

/** The clock of a run: what it finds out is said in the run's log, and ends the run where the settings say so. */
export function clockFor(
  run: ActiveRun,
  policy: () => ContainerPolicy,
  listener: RunWarningsListener,
): RunClock {
  const warn = (text: string): void => {
    run.append({ type: 'log', level: 'warning', text });
    listener.warned();
  };
  return new RunClock(policy, {
    timeoutSoon: (leftMs, timeoutMs) =>
      warn(`The run will be stopped in ${seconds(leftMs)}: its timeout is ${seconds(timeoutMs)}.`),
    timedOut: (timeoutMs) =>
      listener.force(
        run.failure(
          'timeout',
          `The run did not end within its timeout of ${seconds(timeoutMs)}. Its last checkpoint is kept: resume it, ` +
            'with a longer timeout if it needs one.',
        ),
      ),
    stalled: (afterMs) => {
      warn(`The run has made no progress for ${seconds(afterMs)}.`);
      if (policy().stopStalled) {
        listener.force(
          run.failure(
            'stalled',
            `The run made no progress for ${seconds(afterMs)} and was stopped. Its last checkpoint is kept.`,
          ),
        );
      }
    },
    goesOn: () => warn('The run goes on.'),
  });
}

export function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}
