import { connect } from 'node:net';
import { AgentClient } from '../agent/agentClient';
import type { AgentEndpoint, AgentPlace } from '../agent/protocol';
import { Bundle } from '../bundle';
import type { ContainerOptions, Endpoint, Finding, RunHistory, StartProgress, Target } from '../target';
import { ContainerStartError, SOCKET_URL } from '../target';
import { checkSsh } from './check';
import type { SshConfig } from './config';
import type { FarFacts } from './farSide';
import { OLDEST_NODE, installNodeScript, lookScript, readFacts, unpackScript } from './farSide';
import { quote } from './shell';
import type { SshLink } from './sshLink';
import { SshError } from './sshProcess';

const LOOK_LIMIT_MS = 20_000;
const AGENT_LIMIT_MS = 40_000;
const SEND_LIMIT_MS = 600_000;
const INSTALLED_NODE = 22;

export interface SshTargetDeps {
  link: SshLink;
  bundleDir: string;
  /** Names the volume's folder on the far side: one for each workspace. */
  volumeKey: string;
  slot?: number | undefined;
}

/** Containers on a machine that OpenSSH reaches. They listen on a socket there, and stay when the link goes. */
export class SshTarget implements Target {
  readonly kind = 'ssh';
  readonly name: string;
  private readonly agent: AgentClient;
  private readonly place: AgentPlace;
  private bundle: Promise<Bundle> | undefined;
  private facts: FarFacts | undefined;

  constructor(
    private readonly config: SshConfig,
    private readonly deps: SshTargetDeps,
  ) {
    this.name = config.name;
    const { folder } = config;
    const volume = `${folder}/volumes/${deps.volumeKey}`;
    this.place = {
      home: folder,
      outputsDir: `${volume}/outputs`,
      dataDir: `${folder}/data`,
      target: config.name,
      listen: { on: 'socket' },
      ...(deps.slot === undefined ? {} : { slot: deps.slot }),
    };
    this.agent = new AgentClient(async (command, input) => {
      const { node, code } = await this.look();
      const script = `exec ${quote(node)} ${quote(`${code}/container.js`)} agent ${command}`;
      return deps.link.run(script, { input, limitMs: AGENT_LIMIT_MS });
    }, this.place);
  }

  async find(): Promise<Endpoint | undefined> {
    // Who looks for a container may do so because the link is silent.
    await this.deps.link.hasPulse();
    if (!(await this.isReady())) {
      return undefined;
    }
    const found = await this.agent.find();
    return found === undefined ? undefined : this.endpoint(found);
  }

  async start(options: ContainerOptions, progress: StartProgress): Promise<Endpoint> {
    try {
      await progress.phase('ssh connection', () => this.deps.link.open());
      await this.prepare(progress);
      const endpoint = await progress.phase('start', () => this.agent.start({ ...options, port: 0 }));
      return await this.endpoint(endpoint);
    } catch (error) {
      throw error instanceof SshError
        ? new ContainerStartError(`${this.config.host}: ${error.message}`)
        : error;
    }
  }

  async kill(): Promise<void> {
    if (await this.isReady()) {
      await this.agent.kill();
    }
  }

  async settle(): Promise<string[]> {
    return (await this.isReady()) ? this.agent.settle() : [];
  }

  async history(after: ReadonlyMap<string, number>): Promise<RunHistory[]> {
    return (await this.isReady()) ? this.agent.history(after) : [];
  }

  check(signal?: AbortSignal): Promise<Finding[]> {
    return checkSsh(this.config, this.deps.link, signal);
  }

  async dispose(): Promise<void> {
    await this.deps.link.close();
  }

  /** Whether the agent of this version can be run there. One that was never used is not made so by a look. */
  private async isReady(): Promise<boolean> {
    const { present, used, node } = await this.look();
    if (present === 'yes' && node !== '') {
      return true;
    }
    if (used === 'no' || node === '') {
      return false;
    }
    // A container of another version may be there.
    await this.sendCode();
    return true;
  }

  private async look(): Promise<FarFacts> {
    if (this.facts === undefined) {
      const { hash } = await this.code();
      const script = lookScript(this.config, hash);
      this.facts = readFacts(await this.deps.link.run(script, { limitMs: LOOK_LIMIT_MS }));
    }
    return this.facts;
  }

  private async prepare(progress: StartProgress): Promise<void> {
    let facts = await this.look();
    if (facts.node === '') {
      facts = await this.installNode(facts, progress);
    }
    if (facts.present === 'no') {
      await progress.phase('code sent', () => this.sendCode());
    }
  }

  private async sendCode(): Promise<void> {
    const bundle = await this.code();
    const script = unpackScript(this.config, bundle.hash);
    await this.deps.link.run(script, { input: await bundle.tar(), limitMs: SEND_LIMIT_MS });
    this.facts = undefined;
    await this.look();
  }

  private async installNode({ npm, oldNode }: FarFacts, progress: StartProgress): Promise<FarFacts> {
    const { host, installNode } = this.config;
    const lacks =
      oldNode === ''
        ? `${host} has no Node that was found`
        : `${host} has Node ${oldNode}, and ${OLDEST_NODE} or newer is needed`;
    if (!installNode) {
      throw new ContainerStartError(
        `${lacks}. Install Node ${OLDEST_NODE} or newer there, name one with "node" in the target, or allow "installNode".`,
      );
    }
    if (npm === '') {
      throw new ContainerStartError(
        `${lacks}, nor npm to install it with. Install Node ${OLDEST_NODE} or newer there by hand.`,
      );
    }
    progress.log(`Installing Node ${INSTALLED_NODE} on ${host} through npm.`);
    await progress.phase('node installed', () =>
      this.deps.link.run(installNodeScript(this.config, INSTALLED_NODE), { limitMs: SEND_LIMIT_MS }),
    );
    this.facts = undefined;
    const facts = await this.look();
    if (facts.node === '') {
      throw new ContainerStartError(`npm installed a Node on ${host} that does not run there.`);
    }
    return facts;
  }

  private async endpoint({ containerId, token, socketPath }: AgentEndpoint): Promise<Endpoint> {
    if (socketPath === undefined) {
      throw new ContainerStartError(
        'The container there listens on a port and not on a socket. End it on that machine first.',
      );
    }
    const path = await this.deps.link.forward(socketPath);
    return { containerId, token, url: SOCKET_URL, connect: () => connect(path) };
  }

  private code(): Promise<Bundle> {
    this.bundle ??= Bundle.read(this.deps.bundleDir);
    return this.bundle;
  }
}
