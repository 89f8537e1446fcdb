import type { Duplex } from 'node:stream';
import { posix } from 'node:path';
import type { App, ModalClient, Sandbox } from 'modal';
import { AlreadyExistsError, NotFoundError } from 'modal';
import { DEFAULT_POLICY } from '../../protocol/rpc';
import type { AgentExec } from '../agent/agentClient';
import { AgentClient } from '../agent/agentClient';
import type { AgentCommand, AgentEndpoint } from '../agent/protocol';
import type { Bundle } from '../bundle';
import type { ContainerOptions, Endpoint, Finding, RunHistory, StartProgress, Target } from '../target';
import { ContainerStartError } from '../target';
import { checkModal } from './check';
import type { ModalConfig } from './config';
import type { Outcome } from './execute';
import { execute, executeAndLeave } from './execute';
import { sandboxImage } from './image';
import type { SandboxLayout, SandboxNames } from './layout';
import { startError } from './problems';
import { IS_LEAVING, KEEPER, MAIN, RECEIVE_CODE } from './processes';
import type { Session } from './session';

export interface ModalTargetDeps {
  config: ModalConfig;
  names: SandboxNames;
  layout: SandboxLayout;
  session: Session;
  /** The program, read when it is sent for the first time. */
  bundle: () => Promise<Bundle>;
  /** Makes the socket to a tunnel's end where the system's certificates do not do. */
  connect?: (host: string, port: number) => Duplex;
}

const SECOND_MS = 1000;
/** Below that a sandbox could be ended between two steps of its own start. */
const MIN_IDLE_MS = 60_000;
const TUNNEL_TIMEOUT_MS = 60_000;
const EXEC_TIMEOUT_MS = 30_000;
const SYNC_TIMEOUT_MS = 15_000;

/** The container in a sandbox on Modal, which has a name and so is found again from anywhere. */
export class ModalTarget implements Target {
  readonly kind = 'modal';
  readonly name: string;

  constructor(private readonly deps: ModalTargetDeps) {
    this.name = deps.config.name;
  }

  async find(): Promise<Endpoint | undefined> {
    return this.attempt(async (client) => {
      const sandbox = await this.sandbox(client);
      return sandbox === undefined ? undefined : this.endpointIn(sandbox);
    });
  }

  async start(options: ContainerOptions, progress: StartProgress): Promise<Endpoint> {
    return this.attempt(async (client) => {
      const present = await this.sandbox(client);
      const living = present === undefined ? undefined : await this.endpointIn(present);
      if (living !== undefined) {
        return living;
      }
      const sandbox =
        present !== undefined && (await this.stays(present))
          ? present
          : await this.create(client, options, progress);
      await progress.phase('code sent', () => this.sendCode(sandbox, progress));
      const endpoint = await progress.phase('start', async () => {
        const started = await this.agent(sandbox).start({ ...options, port: this.deps.layout.port });
        return this.reach(sandbox, started);
      });
      return endpoint;
    });
  }

  async kill(): Promise<void> {
    await this.attempt(async (client) => {
      const sandbox = await this.sandbox(client);
      if (sandbox !== undefined) {
        const { outputs, data } = this.deps.layout;
        // What was written has to be on the volumes; a sandbox that does not answer is ended all the same.
        await execute(sandbox, ['sync', outputs, data], { timeoutMs: SYNC_TIMEOUT_MS }).catch(
          () => undefined,
        );
        await sandbox.terminate({ wait: true });
      }
    });
  }

  /** Where no sandbox is, nothing is started for it: the next container settles what the last one left. */
  async settle(): Promise<string[]> {
    return this.attempt(async (client) => {
      const sandbox = await this.sandbox(client);
      return sandbox === undefined ? [] : this.agent(sandbox).settle();
    });
  }

  check(signal?: AbortSignal): Promise<Finding[]> {
    const { config, session, names } = this.deps;
    return checkModal({ config, session, sandboxName: names.sandbox }, signal);
  }

  async history(after: ReadonlyMap<string, number>): Promise<RunHistory[]> {
    return this.attempt(async (client) => {
      const sandbox = await this.sandbox(client);
      return sandbox === undefined ? [] : this.agent(sandbox).history(after);
    });
  }

  dispose(): Promise<void> {
    this.deps.session.close();
    return Promise.resolve();
  }

  private async attempt<T>(work: (client: ModalClient) => Promise<T>): Promise<T> {
    const { session } = this.deps;
    try {
      return await work(await session.client());
    } catch (error) {
      throw startError(error, session.credentials);
    }
  }

  /** The sandbox that runs now, if any. */
  private async sandbox(client: ModalClient): Promise<Sandbox | undefined> {
    const { config, names, session } = this.deps;
    try {
      const sandbox = await client.sandboxes.fromName(config.app, names.sandbox, session.inEnvironment);
      return (await sandbox.poll()) === null ? sandbox : undefined;
    } catch (error) {
      if (error instanceof NotFoundError) {
        return undefined;
      }
      throw error;
    }
  }

  private async endpointIn(sandbox: Sandbox): Promise<Endpoint | undefined> {
    try {
      const found = await this.agent(sandbox).find();
      return found === undefined ? undefined : await this.reach(sandbox, found);
    } catch (error) {
      // It may have ended just now.
      if ((await sandbox.poll()) !== null) {
        return undefined;
      }
      throw error;
    }
  }

  /** Whether a sandbox without a container may get one: another window has just made it, or died in doing so. */
  private async stays(sandbox: Sandbox): Promise<boolean> {
    const isLeaving = await execute(sandbox, ['node', '-e', IS_LEAVING]).then(
      ({ exitCode }) => exitCode === 0,
      () => true,
    );
    if (isLeaving) {
      await sandbox.terminate({ wait: true });
    }
    return !isLeaving;
  }

  private async create(
    client: ModalClient,
    options: ContainerOptions,
    progress: StartProgress,
  ): Promise<Sandbox> {
    const { config, session } = this.deps;
    const image = sandboxImage(client, config);
    const app = await progress.phase('image build', async () => {
      const made = await client.apps.fromName(config.app, {
        ...session.inEnvironment,
        createIfMissing: true,
      });
      progress.log(
        `Modal builds the image, or has it already${config.image === undefined ? '' : ` (${config.image})`}.`,
      );
      await image.build(made);
      return made;
    });
    return progress.phase('sandbox', () => this.createSandbox(client, app, image, options));
  }

  private async createSandbox(
    client: ModalClient,
    app: App,
    image: ReturnType<typeof sandboxImage>,
    options: ContainerOptions,
  ): Promise<Sandbox> {
    const { config, names, layout, session } = this.deps;
    const existing = { ...session.inEnvironment, createIfMissing: true };
    const [outputs, data] = await Promise.all([
      client.volumes.fromName(config.outputsVolume, existing),
      client.volumes.fromName(config.dataVolume, existing),
    ]);
    const windowMs = options.settings.scaledownWindowMs ?? DEFAULT_POLICY.scaledownWindowMs;
    try {
      return await client.sandboxes.create(app, image, {
        name: names.sandbox,
        command: ['node', '-e', MAIN],
        ...(config.gpu === 'none' ? {} : { gpu: config.gpu }),
        volumes: { [layout.outputs]: outputs, [layout.data]: data },
        encryptedPorts: [layout.port],
        timeoutMs: config.timeoutS * SECOND_MS,
        idleTimeoutMs: Math.max(MIN_IDLE_MS, Math.ceil(windowMs / SECOND_MS) * SECOND_MS),
        tags: { 'tiny-cats': 'container' },
      });
    } catch (error) {
      const other = error instanceof AlreadyExistsError ? await this.sandbox(client) : undefined;
      if (other === undefined) {
        throw error;
      }
      return other;
    }
  }

  private async sendCode(sandbox: Sandbox, progress: StartProgress): Promise<void> {
    const dir = await this.codeDir();
    const { exitCode } = await execute(sandbox, ['test', '-e', posix.join(dir, 'container.js')]);
    if (exitCode !== 0) {
      progress.log('This version of the container is sent to the data volume.');
      await this.sendCodeTo(sandbox, dir);
    }
  }

  private async sendCodeTo(sandbox: Sandbox, dir: string): Promise<void> {
    const input = await (await this.deps.bundle()).tar();
    const outcome = await execute(sandbox, ['sh', '-c', RECEIVE_CODE, dir], { input, timeoutMs: 0 });
    if (outcome.exitCode !== 0) {
      throw new ContainerStartError(`The program could not be put into the sandbox: ${lastWords(outcome)}`);
    }
  }

  private async codeDir(): Promise<string> {
    return posix.join(this.deps.names.codeRoot, (await this.deps.bundle()).hash);
  }

  private agent(sandbox: Sandbox): AgentClient {
    const exec: AgentExec = async (command, input) => {
      const dir = await this.codeDir();
      let outcome = await this.ask(sandbox, dir, command, input);
      if (outcome.exitCode !== 0 && outcome.stderr.includes('Cannot find module')) {
        await this.sendCodeTo(sandbox, dir);
        outcome = await this.ask(sandbox, dir, command, input);
      }
      if (outcome.exitCode !== 0) {
        throw new ContainerStartError(`The agent in the sandbox failed: ${lastWords(outcome)}`);
      }
      return outcome.stdout;
    };
    return new AgentClient(exec, this.deps.names.place);
  }

  private ask(sandbox: Sandbox, dir: string, command: AgentCommand, input: string): Promise<Outcome> {
    const program = posix.join(dir, 'container.js');
    const { outputs, data } = this.deps.layout;
    return command === 'start'
      ? executeAndLeave(sandbox, ['node', '-e', KEEPER, program, outputs, data], input)
      : execute(sandbox, ['node', program, 'agent', command], { input, timeoutMs: EXEC_TIMEOUT_MS });
  }

  private async reach(sandbox: Sandbox, { containerId, token }: AgentEndpoint): Promise<Endpoint> {
    const { layout, connect } = this.deps;
    const tunnel = (await sandbox.tunnels(TUNNEL_TIMEOUT_MS))[layout.port];
    if (tunnel === undefined) {
      throw new ContainerStartError(
        'The sandbox has no tunnel to its container: end it with "Restart Container".',
      );
    }
    const [host, port] = tunnel.tlsSocket;
    return {
      containerId,
      token,
      url: `wss://${host}:${port}/`,
      ...(connect === undefined ? {} : { connect: () => connect(host, port) }),
    };
  }
}

/** What of a failed program is worth reading. */
function lastWords({ exitCode, stdout, stderr }: Outcome): string {
  const lines = `${stdout}\n${stderr}`.trim().split('\n').slice(-5).join('\n');
  return lines === '' ? `it ended with exit code ${exitCode} and no word` : lines;
}
