import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ip = (...args: string[]): Promise<unknown> => run('ip', args);

/** A network namespace, and a link to it that can be taken down as a cable is pulled. */
export class Veth {
  private constructor(
    private readonly name: string,
    /** Of the far end. */
    readonly address: string,
  ) {}

  /** @returns undefined, after a notice, where that is not permitted */
  static async make(): Promise<Veth | undefined> {
    const name = `tc${process.pid}`;
    // Of the range for measurements inside a machine, which no network uses.
    const veth = new Veth(name, '198.18.233.2');
    if (userInfo().uid !== 0) {
      console.log('      not tested here: only root makes network namespaces');
      return undefined;
    }
    try {
      await ip('netns', 'add', name);
      await ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'far', 'netns', name);
      await ip('addr', 'add', '198.18.233.1/30', 'dev', name);
      await ip('link', 'set', name, 'up');
      await ip('-n', name, 'addr', 'add', `${veth.address}/30`, 'dev', 'far');
      await ip('-n', name, 'link', 'set', 'far', 'up');
      await ip('-n', name, 'link', 'set', 'lo', 'up');
      return veth;
    } catch (error) {
      console.log(`      not tested here: ${error instanceof Error ? error.message.trim() : String(error)}`);
      await veth.close();
      return undefined;
    }
  }

  /** Of a program that is to run on the far side. */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.name];
  }

  async cut(): Promise<void> {
    await ip('link', 'set', this.name, 'down');
  }

  async restore(): Promise<void> {
    await ip('link', 'set', this.name, 'up');
  }

  async close(): Promise<void> {
    await ip('link', 'del', this.name).catch(() => undefined);
    await ip('netns', 'del', this.name).catch(() => undefined);
  }
}
