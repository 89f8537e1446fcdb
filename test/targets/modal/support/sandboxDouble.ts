import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { Server } from 'node:tls';
import { createServer } from 'node:tls';

const TLS_DIR = join(__dirname, 'tls');
export const TUNNEL_CERTIFICATE = readFileSync(join(TLS_DIR, 'cert.pem'));

export interface SandboxDefinition {
  command: string[];
  name: string;
  gpu: string;
  timeoutS: number;
  idleTimeoutS: number;
  /** Folder of the volume, by the path that it is mounted at. */
  mounts: Map<string, string>;
  ports: number[];
}

/** A running or ended program of a sandbox. */
export interface ExecDouble {
  command: string[];
  process: ChildProcess;
  out: [Uint8Array[], Uint8Array[]];
  closed: boolean;
}

/**
 * A sandbox whose programs are processes of this machine: with a home of its own, volumes that are links to folders,
 * and tunnels that are real TLS on loopback. Its end is the end of all that it started, also of what was detached.
 */
export class SandboxDouble {
  readonly execs = new Map<string, ExecDouble>();
  private readonly tunnels = new Map<number, Server>();
  private readonly main: ChildProcess;
  private connections = 0;
  /** Exit code; undefined while it runs. */
  exitCode: number | undefined;
  readonly ended: Promise<void>;

  private constructor(
    readonly id: string,
    readonly taskId: string,
    readonly definition: SandboxDefinition,
    private readonly dir: string,
  ) {
    for (const [path, folder] of definition.mounts) {
      mkdirSync(dirname(path), { recursive: true });
      rmSync(path, { force: true });
      symlinkSync(folder, path);
    }
    this.main = this.spawn(definition.command);
    this.ended = once(this.main, 'exit').then(([code]) => {
      this.exitCode ??= typeof code === 'number' ? code : 137;
      this.killAll();
      for (const server of this.tunnels.values()) {
        server.close();
      }
    });
  }

  static async start(
    id: string,
    taskId: string,
    definition: SandboxDefinition,
    dir: string,
  ): Promise<SandboxDouble> {
    mkdirSync(join(dir, 'home'), { recursive: true });
    const sandbox = new SandboxDouble(id, taskId, definition, dir);
    for (const port of definition.ports) {
      sandbox.tunnels.set(port, await sandbox.openTunnel(port));
    }
    return sandbox;
  }

  /** Modal ends a sandbox in which nothing runs by exec and to which nobody is connected. */
  get isIdle(): boolean {
    return this.connections === 0 && [...this.execs.values()].every((exec) => exec.closed);
  }

  tunnelPort(containerPort: number): number {
    const address = this.tunnels.get(containerPort)?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  exec(id: string, command: string[]): void {
    const process = this.spawn(command);
    const exec: ExecDouble = { command, process, out: [[], []], closed: false };
    process.stdout?.on('data', (data: Buffer) => exec.out[0].push(data));
    process.stderr?.on('data', (data: Buffer) => exec.out[1].push(data));
    process.once('close', () => (exec.closed = true));
    process.on('error', (error) => {
      exec.out[1].push(Buffer.from(error.message));
      exec.closed = true;
    });
    process.stdin?.on('error', () => undefined);
    this.execs.set(id, exec);
  }

  /** As Modal does it: at once, for all, and whatever they are at. */
  async end(exitCode: number): Promise<void> {
    this.exitCode ??= exitCode;
    this.killAll();
    await this.ended;
  }

  private spawn(command: string[]): ChildProcess {
    const [program = '', ...args] = command;
    const { PATH } = process.env;
    return spawn(program, args, {
      env: { PATH, HOME: join(this.dir, 'home'), MODAL_TASK_ID: this.taskId },
      cwd: this.dir,
      stdio: 'pipe',
    });
  }

  private async openTunnel(containerPort: number): Promise<Server> {
    const key = readFileSync(join(TLS_DIR, 'key.pem'));
    const server = createServer({ key, cert: TUNNEL_CERTIFICATE }, (outer) => {
      const inner = connect(containerPort, '127.0.0.1');
      this.connections += 1;
      outer.once('close', () => (this.connections -= 1));
      for (const [from, to] of [
        [outer, inner],
        [inner, outer],
      ] as const) {
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.once('close', () => to.destroy());
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }

  /** Whatever has this sandbox's mark in its environment. */
  private killAll(): void {
    this.main.kill('SIGKILL');
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        if (readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`MODAL_TASK_ID=${this.taskId}`)) {
          process.kill(Number(pid), 'SIGKILL');
        }
      } catch {
        // It has ended, or is another user's.
      }
    }
  }
}
