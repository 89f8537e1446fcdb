import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Asking } from './askpass';
import type { RunOptions } from './sshProcess';
import { SshError, collectText, missingProgram, runToEnd } from './sshProcess';
import { REMOTE_COMMAND } from './shell';

/** Sockets have short paths only, and the folders for temporary files of some systems have long ones. */
const PARENT = '/tmp';
const GREETING = 'tiny-cats-connected';
const CONTROL_LIMIT_MS = 5000;

export interface SshDestination {
  /** Name or path of OpenSSH's client. */
  program: string;
  host: string;
  /** Options before the host: port, user. */
  args: readonly string[];
}

/** One multiplexed connection: a master, and whatever runs over it. It ends with this process. */
export class SshMaster {
  private ended = false;

  private constructor(
    private readonly destination: SshDestination,
    private readonly dir: string,
    private readonly child: ChildProcess,
  ) {
    child.once('exit', () => {
      this.ended = true;
      // ssh has removed its socket; where it was killed, nobody listens on it any more.
      void rm(dir, { recursive: true, force: true });
    });
  }

  /**
   * Connects by the user's own configuration, keys and known hosts.
   * @param asking how the user is asked; undefined asks nobody, and fails where somebody would have to be
   * @throws SshError
   */
  static async open(
    destination: SshDestination,
    asking: Asking | undefined,
    connectTimeoutS: number,
  ): Promise<SshMaster> {
    const dir = await mkdtemp(join(PARENT, 'tiny-cats-ssh-'));
    const { program, host, args } = destination;
    const options = {
      ControlMaster: 'yes',
      ControlPath: join(dir, 'm'),
      ControlPersist: 'no',
      ServerAliveInterval: '5',
      ServerAliveCountMax: '3',
      ConnectTimeout: String(connectTimeoutS),
      RequestTTY: 'no',
      ...(asking === undefined ? { BatchMode: 'yes' } : {}),
    };
    const child = spawn(
      program,
      [
        ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
        ...args,
        '--',
        host,
        REMOTE_COMMAND,
      ],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
        // Away from the terminal, whose Ctrl+C is not for it, unless it is the terminal that asks.
        detached: asking?.kind !== 'terminal',
        env: { ...process.env, ...(asking?.kind === 'askpass' ? asking.env : {}) },
      },
    );
    child.stdin.on('error', () => undefined);
    // Reads this side's end until it is closed, which it is with this process.
    child.stdin.write(`echo ${GREETING}; exec cat >/dev/null\n`);
    const complaint = collectText(child);
    try {
      await greeted(child, complaint);
    } catch (error) {
      child.kill();
      await rm(dir, { recursive: true, force: true });
      throw missingProgram(program, error);
    }
    return new SshMaster(destination, dir, child);
  }

  get isOpen(): boolean {
    return !this.ended;
  }

  /** Runs a script of one line on the far side. @returns its stdout @throws SshError */
  async run(script: string, { input = '', ...options }: RunOptions): Promise<string> {
    const { program, host, args } = this.destination;
    const stdin = Buffer.concat([Buffer.from(`${script}\n`), Buffer.from(input)]);
    return runToEnd(
      program,
      [...this.control(), '-o', 'BatchMode=yes', ...args, '--', host, REMOTE_COMMAND],
      {
        ...options,
        input: stdin,
      },
    );
  }

  /** Makes a socket here that leads to one on the far side. @returns its path */
  async forward(remotePath: string): Promise<string> {
    const { program, host, args } = this.destination;
    const path = join(this.dir, randomBytes(4).toString('hex'));
    const spec = `${path}:${remotePath.replaceAll('\\', '\\\\').replaceAll(':', '\\:')}`;
    await runToEnd(program, [...this.control(), '-O', 'forward', '-L', spec, ...args, '--', host], {
      limitMs: CONTROL_LIMIT_MS,
    });
    return path;
  }

  /** Ends the connection; what runs on the far side by itself stays. */
  async close(): Promise<void> {
    if (this.ended) {
      return;
    }
    const { program, host, args } = this.destination;
    const gone = once(this.child, 'exit');
    this.child.stdin?.end();
    await runToEnd(program, [...this.control(), '-O', 'exit', ...args, '--', host], {
      limitMs: CONTROL_LIMIT_MS,
    }).catch(() => this.child.kill());
    await gone;
  }

  /** Ends the connection at once, e.g. since nothing comes over it any more. */
  abandon(): void {
    this.ended = true;
    this.child.kill();
  }

  private control(): string[] {
    return ['-o', `ControlPath=${join(this.dir, 'm')}`, '-o', 'ControlMaster=no'];
  }
}

async function greeted(child: ChildProcess, complaint: () => string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
      said += piece;
      if (said.includes(GREETING)) {
        resolve();
      }
    });
    child.once('error', reject);
    child.once('close', (code) =>
      reject(new SshError(complaint() || `ssh ended with exit code ${String(code)}`, true)),
    );
  });
}
