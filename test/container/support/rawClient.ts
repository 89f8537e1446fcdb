import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import type { ClientOptions } from 'ws';
import { WebSocket } from 'ws';
import { PROTOCOL_VERSION } from '../../../src/protocol/version';

const replySchema = v.object({
  id: v.optional(v.unknown()),
  method: v.optional(v.string()),
  params: v.optional(v.unknown()),
  result: v.optional(v.unknown()),
  error: v.optional(v.object({ code: v.number(), message: v.string(), data: v.optional(v.unknown()) })),
});
type Reply = v.InferOutput<typeof replySchema>;

/** A client that sends what it likes. */
export class RawClient {
  /** Everything that came, in order, as it came. */
  private readonly received: unknown[] = [];
  /** The same; the answer to a batch is empty here. */
  readonly messages: Reply[] = [];
  closed: number | undefined;
  private readonly waiters = new Set<() => void>();
  private lastId = 0;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      const message: unknown = JSON.parse(data.toString('utf8'));
      this.received.push(message);
      this.messages.push(Array.isArray(message) ? {} : v.parse(replySchema, message));
      this.wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      this.closed = code;
      this.wake();
    });
  }

  static async connect({ url, token }: { url: string; token: string }): Promise<RawClient> {
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  /** The HTTP status that a connection is refused with; undefined if it is let in. */
  static async refusal(url: string, options: ClientOptions): Promise<number | undefined> {
    const socket = new WebSocket(url, options);
    socket.on('error', () => undefined);
    return new Promise((resolve) => {
      socket.once('open', () => {
        socket.terminate();
        resolve(undefined);
      });
      socket.once('unexpected-response', (request, response: IncomingMessage) => {
        request.destroy();
        resolve(response.statusCode);
      });
    });
  }

  async hello(protocol: unknown = PROTOCOL_VERSION): Promise<Reply> {
    return this.request('hello', { protocol, client: 'raw' });
  }

  /** Sends a request and returns the answer to it, be it an error. */
  async request(method: string, params: unknown): Promise<Reply> {
    this.lastId += 1;
    const id = this.lastId;
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return this.until(() => this.messages.find((message) => message.id === id));
  }

  /** Sends it as it is and returns the next answer. */
  async exchange(data: string | Buffer): Promise<unknown> {
    const { length } = this.messages;
    this.socket.send(data);
    const at = await this.until(() => {
      const found = this.messages.findIndex(({ method }, index) => index >= length && method === undefined);
      return found === -1 ? undefined : { found };
    });
    return this.received[at.found];
  }

  /** Params of the notifications of that kind, from a place among the messages on. */
  notified(method: string, from = 0): unknown[] {
    return this.messages
      .slice(from)
      .flatMap((message) => (message.method === method ? [message.params] : []));
  }

  /** Resolves with what `look` finds once it finds anything. @throws Error if the socket closes before */
  async until<T>(look: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) {
        return found;
      }
      if (this.closed !== undefined) {
        throw new Error(`the socket was closed with code ${this.closed}`);
      }
      await this.change();
    }
  }

  /** Resolves with the code that the socket is closed with. */
  async end(): Promise<number> {
    while (this.closed === undefined) {
      await this.change();
    }
    return this.closed;
  }

  close(): void {
    this.socket.terminate();
  }

  private async change(): Promise<void> {
    await new Promise<void>((resolve) => this.waiters.add(resolve));
  }

  private wake(): void {
    for (const wake of this.waiters) {
      wake();
    }
    this.waiters.clear();
  }
}
