import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { parse } from '../../protocol/schema';
import type { FromTrainer, ToTrainer } from '../trainerProtocol';
import { fromTrainerSchema } from '../trainerProtocol';
import { LastLines } from './lastLines';
import type { Launch } from './launch';

/** How a process went. */
export interface Death {
  /** In words for the user. */
  cause: string;
  /** What it ran made it crash or end, and would do so again; one that was killed from outside is none. */
  isFault: boolean;
}

interface TrainerEvents {
  message: [FromTrainer];
  /** The process is gone. */
  exit: [Death];
}

/** Signals that a process brings upon itself. */
const FAULTS: ReadonlySet<string> = new Set(
  ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSYS', 'SIGTRAP'].concat(
    // Of timers, pipes and limits that it has set itself.
    ['SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGPIPE', 'SIGXCPU', 'SIGXFSZ'],
  ),
);
/** How long the last words of a process are waited for, which a process that it left behind may hold open. */
const LAST_WORDS_MS = 300;

/** One trainer process as the supervisor sees it: a child with typed messages. */
export class TrainerProcess extends EventEmitter<TrainerEvents> {
  private readonly child: ChildProcess;
  private readonly lastLines = new LastLines();
  private killCause: string | undefined;

  constructor(private readonly launch: Launch) {
    super();
    this.child = spawn(launch.command, launch.args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'json',
      detached: launch.isGroup,
      windowsHide: true,
    });
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
        this.emit('exit', { cause: whyNotStarted(launch.command, error), isFault: true });
      } else {
        console.error(error);
      }
    });
    this.child.stdout?.on('data', (data: Buffer) => process.stdout.write(data));
    this.child.stderr?.on('data', (data: Buffer) => {
      process.stderr.write(data);
      this.lastLines.add(data);
    });
    this.child.once('exit', (code, signal) => void this.exited(code, signal));
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
    const { pid } = this.child;
    if (!this.launch.isGroup || pid === undefined) {
      this.child.kill('SIGKILL');
      return;
    }
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // All of it has ended.
    }
  }

  private async exited(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    if (this.launch.isGroup) {
      // What it started and left behind.
      this.kill();
    }
    const { stderr } = this.child;
    if (stderr !== null && !stderr.closed) {
      await Promise.race([
        once(stderr, 'close'),
        new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS).unref()),
      ]);
    }
    const how = this.killCause ?? describeExit(code, signal);
    const words = this.lastLines.text;
    this.emit('exit', {
      cause: words === '' || signal === 'SIGKILL' ? how : `${how}. Its last lines were:\n${words}`,
      isFault: this.killCause !== undefined || signal === null || FAULTS.has(signal),
    });
  }
}

function whyNotStarted(command: string, error: Error): string {
  return 'code' in error && error.code === 'ENOENT'
    ? `there is no "${command}" where the container lives. tinyCats.pythonInterpreter, or "python" of the target, names ` +
        'another; the image of a container engine has to have one'
    : `"${command}" could not be started: ${error.message}`;
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL') {
    return 'it was killed (SIGKILL), by hand or because the machine ran out of memory';
  }
  return signal === null ? `it ended with exit code ${String(code)}` : `it was ended by ${signal}`;
}
