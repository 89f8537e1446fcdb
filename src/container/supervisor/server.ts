import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { HEARTBEAT_MS, watchHeartbeat } from '../../protocol/heartbeat';
import { MAX_MESSAGE_BYTES } from '../../protocol/rpc';
import { FILES_PATH } from '../../protocol/transfer';

const LOOPBACK = '127.0.0.1';
const MAX_CONNECTIONS = 32;
/** Why clients are sent away, by which they tell a container that ends from a link that broke. */
export const Parting = {
  /** RFC 6455, 7.4.1: the endpoint goes away. */
  ends: { code: 1001, reason: 'the container is let go' },
  /** IANA's registry of close codes, "Service Restart": they are to come again. */
  pauses: { code: 1012, reason: 'a snapshot of the container is made' },
} as const;
export type Parting = (typeof Parting)[keyof typeof Parting];

/** Where a container listens; without a host on the loopback address alone. */
export type Address = { port: number; host?: string } | { socketPath: string };

/** The container's only door: WebSocket, for who holds the token. */
export class ContainerServer {
  private constructor(
    private readonly http: Server,
    private readonly sockets: WebSocketServer,
    /** 0 where it listens on a socket's path. */
    readonly port: number,
  ) {}

  /**
   * @param address port 0 is any free port
   * @throws Error if the port is taken
   */
  static async listen(
    address: Address,
    token: string,
    accept: (socket: WebSocket) => void,
    heartbeatMs = HEARTBEAT_MS,
    serveFiles?: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<ContainerServer> {
    const http = createServer((request, response) => {
      if (serveFiles !== undefined && request.url?.startsWith(`${FILES_PATH}/`) === true) {
        const refused = refuse(request, token, 0);
        if (refused === undefined) {
          serveFiles(request, response);
        } else {
          response.writeHead(Number(refused.slice(0, 3)), { connection: 'close' }).end();
        }
        return;
      }
      response
        .writeHead(426, { connection: 'close' })
        .end('This is a Tiny Cats container: WebSocket only.\n');
    });
    // Data sets take longer than any limit on a request.
    http.requestTimeout = 0;
    const sockets = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
    });
    http.on('upgrade', (request, socket, head) => {
      const refused = refuse(request, token, sockets.clients.size);
      if (refused !== undefined) {
        rejectUpgrade(socket, refused);
        return;
      }
      sockets.handleUpgrade(request, socket, head, (client) => {
        client.on('error', () => {
          client.terminate();
        });
        watchHeartbeat(client, heartbeatMs, () => client.terminate());
        accept(client);
      });
    });
    await listenOn(http, address);
    return new ContainerServer(http, sockets, portOf(http));
  }

  /** Tells every client why, then closes. */
  async close({ code, reason }: Parting): Promise<void> {
    for (const client of this.sockets.clients) {
      client.close(code, reason);
    }
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()));
    const impatience = setTimeout(() => {
      for (const client of this.sockets.clients) {
        client.terminate();
      }
      this.http.closeAllConnections();
    }, 500);
    await closed;
    clearTimeout(impatience);
  }
}

/** The HTTP status with which a request is refused; undefined if it may come in. */
function refuse(request: IncomingMessage, token: string, connections: number): string | undefined {
  // Only a browser sends an Origin, and no browser has any business here.
  if (request.headers.origin !== undefined) {
    return '403 Forbidden';
  }
  if (!isSame(request.headers.authorization ?? '', `Bearer ${token}`)) {
    return '401 Unauthorized';
  }
  return connections >= MAX_CONNECTIONS ? '503 Service Unavailable' : undefined;
}

/** Compares in constant time, whatever the lengths. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function rejectUpgrade(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

async function listenOn(server: Server, address: Address): Promise<void> {
  const where = 'socketPath' in address ? { path: address.socketPath } : { host: LOOPBACK, ...address };
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const taken = 'code' in error && error.code === 'EADDRINUSE';
      reject(
        taken && 'port' in where
          ? new Error(
              `Port ${where.port} on ${where.host} is already taken by another program. Choose another with ` +
                'tinyCats.port or --port, or 0 for any free one.',
            )
          : error,
      );
    });
    server.listen(where, resolve);
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
