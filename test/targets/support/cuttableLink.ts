import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** A TCP link through which a far side is reached, and which can be cut. */
export class CuttableLink {
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async to(farPort: number): Promise<CuttableLink> {
    const server = createServer((near) => link.join(near, farPort)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const link = new CuttableLink(server, typeof address === 'object' && address !== null ? address.port : 0);
    return link;
  }

  /** From now on nothing comes through, and nobody is told: as with a cable that is pulled, or a machine that sleeps. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) {
      socket.pause();
      socket.removeAllListeners('data');
    }
  }

  /** New connections come through; those from before the cut never will, as after a change of network. */
  restore(): void {
    this.isCut = false;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) {
      socket.destroy();
    }
  }

  private join(near: Socket, farPort: number): void {
    if (this.isCut) {
      near.destroy();
      return;
    }
    const far = connect(farPort, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (piece) => to.write(piece));
      from.on('error', () => from.destroy());
      from.once('close', () => {
        this.sockets.delete(from);
        to.end();
      });
    }
  }
}
