/** Entry of the trainer: does the enter hook, then one run after the other, as the supervisor says. */
import { parse } from '../../protocol/schema';
import type { FromTrainer } from '../trainerProtocol';
import { toTrainerSchema } from '../trainerProtocol';
import type { Entered } from './enter';
import { PhaseRecorder } from './phases';

let entered: Entered | undefined;
let stop = new AbortController();

function send(message: FromTrainer): void {
  process.send?.(message);
}

process.on('message', (value: unknown) => {
  const message = parse(toTrainerSchema, value, 'message from the supervisor');
  switch (message.type) {
    case 'enter': {
      const recorder = new PhaseRecorder('enter', message.spawnedAt, (phase) =>
        send({ type: 'phase', phase }),
      );
      recorder.since('process start', 0);
      void (async () => {
        try {
          const { enter } = await recorder.phase('module import', () => import('./enter'));
          entered = await enter(message, recorder.phase, (text) =>
            send({ type: 'log', level: 'info', text }),
          );
          send({ type: 'ready', engine: entered.engine, device: entered.device });
        } catch (error) {
          console.error(error);
          send({ type: 'enterFailed', message: error instanceof Error ? error.message : String(error) });
        }
      })();
      break;
    }
    case 'run': {
      stop = new AbortController();
      const { signal } = stop;
      void (async () => {
        const { runOnce } = await import('./runOnce');
        await runOnce(entered, message, signal, send);
      })();
      break;
    }
    case 'stop':
      stop.abort();
      break;
  }
});

// Without a supervisor nobody stores what happens here.
process.on('disconnect', () => process.exit(0));
// Ctrl+C in a terminal goes to the supervisor as well, which stops the run as it should be stopped.
process.on('SIGINT', () => undefined);
