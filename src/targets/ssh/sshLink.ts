import type { AskUser } from '../openTarget';
import type { Asking } from './askpass';
import { Askpass } from './askpass';
import type { SshConfig } from './config';
import type { RunOptions } from './sshProcess';
import { SshError } from './sshProcess';
import type { SshDestination } from './sshMaster';
import { SshMaster } from './sshMaster';

const CONNECT_TIMEOUT_S = 10;
/** A connection that has not answered so simple a question is dead, though nobody has said so. */
const PULSE_LIMIT_MS = 5000;
/** What ssh says where it would have to ask its user. */
const WOULD_ASK = /Host key verification failed|Permission denied|passphrase|authenticity/i;

/** The way to one machine: connects when it is needed, and again when it has broken. */
export class SshLink {
  private readonly destination: SshDestination;
  private opening: Promise<SshMaster> | undefined;
  private master: SshMaster | undefined;
  private readonly forwards = new Map<string, string>();

  /**
   * @param bundleDir folder of askpass.js
   * @param user who is asked; undefined where ssh asks by the terminal itself
   */
  constructor(
    config: Pick<SshConfig, 'host' | 'port' | 'user'>,
    program: string,
    private readonly bundleDir: string,
    private readonly user: AskUser | undefined,
  ) {
    const { host, port, user: login } = config;
    const args = [
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...(login === undefined ? [] : ['-l', login]),
    ];
    this.destination = { program, host, args };
  }

  /** Connects, unless it is connected. @throws SshError */
  async open(): Promise<void> {
    await this.connected();
  }

  /** Runs a script of one line there. @throws SshError */
  async run(script: string, options: RunOptions): Promise<string> {
    const master = await this.connected();
    try {
      return await master.run(script, options);
    } catch (error) {
      if (error instanceof SshError && error.isLink) {
        master.abandon();
      }
      throw error;
    }
  }

  /** A socket here that leads to the one there. @returns its path */
  async forward(remotePath: string): Promise<string> {
    const master = await this.connected();
    const known = this.forwards.get(remotePath);
    if (known !== undefined) {
      return known;
    }
    const path = await master.forward(remotePath);
    this.forwards.set(remotePath, path);
    return path;
  }

  /** Connects without asking anybody anything, if it is not connected. @throws SshError */
  async probe(): Promise<void> {
    if (this.master?.isOpen !== true) {
      const master = await SshMaster.open(this.destination, undefined, CONNECT_TIMEOUT_S);
      this.adopt(master);
    }
  }

  async close(): Promise<void> {
    const master = (await this.opening?.catch(() => undefined)) ?? this.master;
    this.master = undefined;
    await master?.close();
  }

  private async connected(): Promise<SshMaster> {
    const { master } = this;
    if (master?.isOpen === true) {
      return master;
    }
    this.opening ??= this.connect().finally(() => {
      this.opening = undefined;
    });
    return this.opening;
  }

  private async connect(): Promise<SshMaster> {
    try {
      return this.adopt(await SshMaster.open(this.destination, undefined, CONNECT_TIMEOUT_S));
    } catch (error) {
      if (!(error instanceof SshError && WOULD_ASK.test(error.message))) {
        throw error;
      }
    }
    return this.asking(async (asking) =>
      this.adopt(await SshMaster.open(this.destination, asking, CONNECT_TIMEOUT_S)),
    );
  }

  private async asking<T>(work: (asking: Asking) => Promise<T>): Promise<T> {
    if (this.user === undefined) {
      return work({ kind: 'terminal' });
    }
    const askpass = await Askpass.open(this.bundleDir, this.user);
    try {
      return await work(askpass.asking);
    } finally {
      await askpass.close();
    }
  }

  private adopt(master: SshMaster): SshMaster {
    this.master = master;
    this.forwards.clear();
    return master;
  }

  /** Whether the connection still carries anything; one that does not is given up. */
  async hasPulse(): Promise<boolean> {
    const { master } = this;
    if (master?.isOpen !== true) {
      return false;
    }
    try {
      await master.run('echo alive', { limitMs: PULSE_LIMIT_MS });
      return true;
    } catch {
      master.abandon();
      return false;
    }
  }
}
