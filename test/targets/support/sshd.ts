import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SSHD = '/usr/sbin/sshd';

/** Why no sshd can be started here; undefined if one can. */
export function sshdObstacle(): string | undefined {
  return existsSync(SSHD)
    ? undefined
    : `there is no ${SSHD}: sudo apt-get install --no-install-recommends openssh-server`;
}

export interface SshdOptions {
  address?: string;
  /** Command that the daemon is run by, e.g. in a network namespace. */
  prefix?: readonly string[];
}

/** A real sshd with keys, configuration and known hosts of its own. It reads and writes nothing of the system's. */
export class Sshd {
  private constructor(
    readonly dir: string,
    readonly port: number,
    private readonly address: string,
    private readonly child: ChildProcess,
  ) {}

  static async start({ address = '127.0.0.1', prefix = [] }: SshdOptions = {}): Promise<Sshd> {
    const dir = await mkdtemp('/tmp/tiny-cats-sshd-');
    const port = await freePort();
    for (const key of ['host', 'client']) {
      await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', key, '-f', join(dir, key)]);
    }
    await writeFile(join(dir, 'authorized_keys'), await readFile(join(dir, 'client.pub')), { mode: 0o600 });
    await writeFile(
      join(dir, 'sshd_config'),
      [
        `Port ${port}`,
        `ListenAddress ${address}`,
        `HostKey ${dir}/host`,
        `PidFile ${dir}/sshd.pid`,
        `AuthorizedKeysFile ${dir}/authorized_keys`,
        'StrictModes no',
        'UsePAM no',
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
        'PermitRootLogin prohibit-password',
        'AllowStreamLocalForwarding yes',
        'UseDNS no',
        'MaxSessions 50',
        '',
      ].join('\n'),
    );
    if (userInfo().uid === 0) {
      await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    }
    const words = [...prefix, SSHD, '-D', '-e', '-f', join(dir, 'sshd_config')];
    const child = spawn(words[0] ?? SSHD, words.slice(1), { stdio: ['ignore', 'ignore', 'ignore'] });
    const sshd = new Sshd(dir, port, address, child);
    while (!existsSync(join(dir, 'sshd.pid'))) {
      if (child.exitCode !== null) {
        throw new Error(`sshd ended with exit code ${child.exitCode}`);
      }
      await delay(20);
    }
    await sshd.trust();
    return sshd;
  }

  /** Writes what a user's ssh needs, and a program that is the user's ssh. @param port of a link that leads here @returns the program's path */
  async client(port = this.port): Promise<string> {
    const { dir, address } = this;
    const config = [
      'Host box "box with spaces"',
      `  HostName ${address}`,
      `  Port ${port}`,
      `  IdentityFile ${dir}/client`,
      '  IdentitiesOnly yes',
      `  UserKnownHostsFile ${dir}/known_hosts`,
      '  GlobalKnownHostsFile /dev/null',
      '  LogLevel ERROR',
      '',
    ].join('\n');
    await writeFile(join(dir, 'ssh_config'), config);
    const program = join(dir, 'ssh');
    // Its folder may come first in the PATH of who is to take it for the user's.
    await writeFile(
      program,
      `#!/bin/sh\nPATH='${process.env.PATH ?? ''}' exec ssh -F '${dir}/ssh_config' "$@"\n`,
    );
    await chmod(program, 0o700);
    return program;
  }

  /** The host's key becomes a known one. */
  async trust(): Promise<void> {
    const [type, key] = (await readFile(join(this.dir, 'host.pub'), 'utf8')).split(' ');
    // By whatever port a link to it has.
    await writeFile(join(this.dir, 'known_hosts'), `[${this.address}]:* ${type ?? ''} ${key ?? ''}\n`);
  }

  /** The host's key becomes an unknown one. */
  async forget(): Promise<void> {
    await writeFile(join(this.dir, 'known_hosts'), '');
  }

  async stop(): Promise<void> {
    this.child.kill();
    await rm(this.dir, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
