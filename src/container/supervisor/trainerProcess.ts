import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { parse } from '../../protocol/schema';
import type { FromTrainer, ToTrainer } from '../trainerProtocol';
import { fromTrainerSchema } from '../trainerProtocol';

interface TrainerEvents {
  message: [FromTrainer];
  /** The process is gone; `cause` says how, in words for the user. */
  exit: [cause: string];
}

/** One trainer process as the supervisor sees it: a child with typed messages. */
export class TrainerProcess extends EventEmitter<TrainerEvents> {
  private readonly child: ChildProcess;
  private killCause: string | undefined;

  constructor(script: string) {
    super();
    this.child = fork(script, [], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', (message: unknown) => {
      try {
        this.emit('message', parse(fromTrainerSchema, message, 'message from the trainer'));
      } catch (error) {
        console.error(error);
        this.killCause = `it sent what it must not send (${error instanceof Error ? error.message : String(error)})`;
        this.kill();
      }
    });
    this.child.on('error', (error) => {
      // Without a pid there will be no exit. With one it was a message that came too late for the process.
      if (this.child.pid === undefined) {
        this.emit('exit', `it could not be started: ${error.message}`);
      } else {
        console.error(error);
      }
    });
    this.child.once('exit', (code, signal) => {
      this.emit('exit', this.killCause ?? describeExit(code, signal));
    });
  }

  get pid(): number | null {
    return this.child.pid ?? null;
  }

  send(message: ToTrainer): void {
    if (this.child.connected) {
      this.child.send(message);
    }
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL') {
    return 'it was killed (SIGKILL), by hand or because the machine ran out of memory';
  }
  return signal === null ? `it ended with exit code ${String(code)}` : `it was ended by ${signal}`;
}
