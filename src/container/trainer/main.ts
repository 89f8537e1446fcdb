/** Entry of the trainer: does the enter hook, then one run after the other, as the supervisor says. */
import { parse } from '../../protocol/schema';
import type { FromTrainer } from '../trainerProtocol';
import { toTrainerSchema } from '../trainerProtocol';
import type { UserCodeSession } from '../userCode/session';
import type { Entered } from './enter';
import { PhaseRecorder } from './phases';
import { startThreads } from './threadsAhead';

let entered: Entered | undefined;
/** The user's own code, where the trainer was started for it. */
let code: UserCodeSession | undefined;
let stop = new AbortController();
let runId: string | undefined;
/** A run waits for the end of the enter hook. */
let awaited = false;
let dying = false;

function send(message: FromTrainer): void {
  if (!dying) process.send?.(message);
}

/** A part of this process is lost: it says why and ends, and the supervisor starts another. */
function die(error: Error): void {
  if (dying) return;
  dying = true;
  const text = error.message;
  console.error(text);
  const message: FromTrainer =
    runId === undefined
      ? { type: 'log', level: 'error', text }
      : { type: 'event', runId, event: { type: 'log', level: 'error', text } };
  const end = () => process.exit(1);
  if (process.send === undefined) end();
  else process.send(message, end);
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
          if (message.program.kind === 'typescript') {
            const { UserCodeSession } = await recorder.phase(
              'module import',
              () => import('../userCode/session'),
            );
            code = new UserCodeSession(message.program, message, send);
            await code.enter(recorder);
            send({ type: 'ready', engine: 'node', device: `Node ${process.version}` });
            return;
          }
          const threads = startThreads(message, die);
          const { enter } = await recorder.phase('module import', () => import('./enter'));
          const log = (text: string): void => send({ type: 'log', level: 'info', text });
          const isAwaited = (): boolean => awaited;
          entered = await enter(message, { phase: recorder.phase, log, isAwaited, threads, die });
          send({ type: 'ready', engine: entered.engine, device: entered.device });
        } catch (error) {
          console.error(error);
          send({ type: 'enterFailed', message: error instanceof Error ? error.message : String(error) });
        }
      })();
      break;
    }
    case 'awaited':
      awaited = true;
      break;
    case 'run': {
      stop = new AbortController();
      const { signal } = stop;
      void (async () => {
        runId = message.runId;
        if (code === undefined) {
          const { runOnce } = await import('./runOnce');
          await runOnce(entered, message, signal, send);
        } else {
          await code.run(message, signal);
        }
        runId = undefined;
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
