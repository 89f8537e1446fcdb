import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { WebSocket } from 'ws';
import { HEARTBEAT_MS } from '../../protocol/heartbeat';
import type { Descriptor } from '../../targets/local/descriptor';
import { ensurePrivateDir, publishDescriptor, removeDescriptor } from '../../targets/local/descriptor';
import { socketPath } from '../../targets/local/paths';
import { processStartTime } from '../../targets/local/processIdentity';
import type { StartOptions } from '../../targets/local/startOptions';
import type { Address } from './server';
import { ContainerServer, Parting } from './server';

const TOKEN_BYTES = 32;

export interface Visitors {
  accept: (socket: WebSocket) => void;
  serveFiles: (request: IncomingMessage, response: ServerResponse) => void;
}

/** The way into a container: its server, and the descriptor by which clients find it. */
export class Door {
  private readonly token = randomBytes(TOKEN_BYTES).toString('base64url');
  private server: ContainerServer | undefined;
  /** Where clients know it to listen, since the first time. */
  private port: number;

  constructor(
    private readonly options: Pick<StartOptions, 'containerDir' | 'listen' | 'outputsDir' | 'port'>,
    private readonly version: string,
    private readonly visitors: Visitors,
  ) {
    this.port = options.port;
  }

  /**
   * Becomes the one that owns the outputs volume, and listens.
   * @returns the descriptor of the container that owns it already, if there is one
   */
  async open(containerId: string): Promise<Descriptor | undefined> {
    const { containerDir, outputsDir } = this.options;
    return publishDescriptor(containerDir, async () => {
      const address = await this.listen();
      return {
        containerId,
        pid: process.pid,
        pidStartTime: processStartTime(process.pid),
        port: 'socketPath' in address ? 0 : this.port,
        ...('socketPath' in address ? address : {}),
        token: this.token,
        version: this.version,
        outputsDir,
      };
    });
  }

  /** Sends the clients away, who come again. */
  async shut(): Promise<void> {
    await this.server?.close(Parting.pauses);
    this.server = undefined;
  }

  /** Listens again where it was. */
  async reopen(): Promise<void> {
    await this.listen();
  }

  /**
   * For a container that was restored: what is there is its own or that of one which was restored before, with the same pid
   * and, by the clock that goes on with the snapshot, perhaps the same start time.
   */
  async takeDown(): Promise<void> {
    await removeDescriptor(this.options.containerDir);
  }

  /** For a container that ends. */
  async close(containerId: string): Promise<void> {
    await removeDescriptor(this.options.containerDir, containerId);
    await this.server?.close(Parting.ends);
  }

  private async listen(): Promise<Address> {
    const { accept, serveFiles } = this.visitors;
    const address = await this.address();
    this.server = await ContainerServer.listen(address, this.token, accept, HEARTBEAT_MS, serveFiles);
    this.port = this.server.port;
    return address;
  }

  /** Where to listen. To be called by the one that owns the volume: what a dead one left is removed. */
  private async address(): Promise<Address> {
    const { port } = this;
    const { containerDir, listen } = this.options;
    switch (listen?.on) {
      case 'socket': {
        const path = socketPath(containerDir);
        await ensurePrivateDir(dirname(path));
        await rm(path, { force: true });
        return { socketPath: path };
      }
      case 'host':
        return { host: listen.host, port };
      case undefined:
        return { port };
    }
  }
}
