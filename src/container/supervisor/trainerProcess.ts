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

/** The trainer as the supervisor sees it: a child process with typed messages. */
export class TrainerProcess extends EventEmitter<TrainerEvents> {
  private readonly child: ChildProcess;

  constructor(script: string) {
    super();
    this.child = fork(script, [], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', (message: unknown) => {
      try {
        this.emit('message', parse(fromTrainerSchema, message, 'message from the trainer'));
      } catch (error) {
        console.error(error);
        this.kill();
      }
    });
    this.child.once('error', (error) => this.emit('exit', `it could not be started: ${error.message}`));
    this.child.once('exit', (code, signal) => this.emit('exit', describeExit(code, signal)));
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
