import { Mirror } from '../mirror/mirror';
import type { ParameterValues } from '../protocol/parameters';
import type { Program } from '../protocol/program';
import type { RunRecord } from '../protocol/run';
import type { StartPhases } from '../targets/startPhases';
import type { ContainerOptions, Endpoint } from '../targets/target';
import type { DownloadOptions } from '../transfer/download';
import type { SendOptions } from '../transfer/sendFolder';
import { expectedParameters, pathsToSend } from '../transfer/sendParameters';
import { folderToSend, programThere } from '../transfer/sentProgram';
import type { ContainerConnection } from './connection';
import type { ContainerClient } from './containerClient';
import { RemoteFiles } from './remoteFiles';

/** The user has cancelled the sending of data. */
export class SendingCancelled extends Error {
  override readonly name = 'SendingCancelled';
  override readonly message =
    'The sending was cancelled. What has arrived stays there: the next run sends the rest.';
}

/** What a client does in addition where the container's volumes are on another machine. */
export class RemoteSide {
  private readonly mirror: Mirror;
  private readonly files: RemoteFiles;
  private sending: AbortController | undefined;
  private mirroring: Promise<void> = Promise.resolve();
  private telling: Promise<unknown> = Promise.resolve();

  /** @param endpoint resolves once there is a link; rejects without a container */
  constructor(
    private readonly client: ContainerClient,
    endpoint: (signal?: AbortSignal) => Promise<Endpoint>,
  ) {
    this.files = new RemoteFiles(endpoint);
    this.mirror = new Mirror(client.volume, {
      follow: (runId, afterSeq, listener) => client.follow(runId, afterSeq, listener),
      history: async (after) => (await client.target.history?.(after)) ?? [],
      fetch: async (runId, file) => {
        await client.fetch(runId, file);
      },
    });
  }

  /** There is a connection. A long history is not waited for; what fails now is done with the next one. */
  opened(connection: ContainerConnection): void {
    this.mirroring = connection
      .request('runs', {})
      .then(({ runs }) => this.mirror.connected(runs))
      .catch(() => undefined);
  }

  /** A record has come. @param then called once the run has its folder here */
  told(record: RunRecord, then: () => void): void {
    this.telling = Promise.allSettled([this.telling, this.mirror.told(record)]).then(then);
  }

  /** There is no container any more. */
  async caughtUp(): Promise<void> {
    await this.mirror.caughtUp();
  }

  /** Resolves once everything that was heard is stored. */
  async mirrored(): Promise<void> {
    await this.mirroring;
    await this.telling;
    await this.mirror.stored();
  }

  /** The same, of runs that have ended their events included, which come after the records. */
  async endedRunsMirrored(): Promise<void> {
    await this.mirrored();
    await this.mirror.endedRunsStored();
  }

  async fetch(runId: string, file: string, path: string, options: DownloadOptions): Promise<void> {
    await this.files.fetch(runId, file, path, options);
  }

  /** Brings the program's code to the container's machine. */
  async sendCode(program: Program | undefined, phases: StartPhases): Promise<void> {
    const folder = folderToSend(program);
    if (folder !== undefined) {
      await this.whileSending('your code sent', phases, (options) => this.files.sendCode(folder, options));
    }
  }

  /** Brings what parameters name of this machine to the container's. @returns where it is there */
  async send(
    recipe: string,
    params: ParameterValues,
    program: Program | undefined,
    phases: StartPhases,
  ): Promise<Record<string, string>> {
    const paths = pathsToSend(recipe, params, program);
    return paths.size === 0
      ? {}
      : this.whileSending('data sent', phases, (options) => this.files.send(paths, options));
  }

  private async whileSending<T>(
    phase: string,
    phases: StartPhases,
    work: (options: SendOptions) => Promise<T>,
  ): Promise<T> {
    const { client } = this;
    const sending = new AbortController();
    this.sending = sending;
    try {
      const options: SendOptions = {
        signal: sending.signal,
        progress: (progress) => client.emit('sending', progress),
      };
      return await phases.phase(phase, () => work(options), 'run');
    } finally {
      this.sending = undefined;
      client.emit('sending', undefined);
    }
  }

  /** @returns whether something was being sent */
  cancelSending(): boolean {
    const { sending } = this;
    sending?.abort(new SendingCancelled());
    return sending !== undefined;
  }

  /** What the enter hook prepares for is where it will be once it was sent. */
  async optionsThere(options: ContainerOptions): Promise<ContainerOptions> {
    const { recipe, params, program } = options.hint;
    return {
      ...options,
      hint: {
        recipe,
        params: await expectedParameters(recipe, params, program),
        ...(program === undefined ? {} : { program: this.programThere(program) }),
      },
    };
  }

  programThere(program: Program): Program {
    return programThere(program, this.client.target.python ?? '');
  }

  dispose(): void {
    this.mirror.dispose();
  }
}
