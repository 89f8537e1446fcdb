import { EventEmitter } from 'node:events';
import { JSONRPCClient, isJSONRPCResponse } from 'json-rpc-2.0';
import * as v from 'valibot';
import { WebSocket } from 'ws';
import type { ContainerStatus } from '../protocol/container';
import type { RunEvent } from '../protocol/events';
import { HEARTBEAT_MS, watchHeartbeat } from '../protocol/heartbeat';
import type { MethodName, MethodParams, MethodResult } from '../protocol/rpc';
import { MAX_MESSAGE_BYTES, methods, notifications } from '../protocol/rpc';
import type { RunRecord } from '../protocol/run';
import { parse } from '../protocol/schema';
import { PROTOCOL_VERSION } from '../protocol/version';
import type { Endpoint } from '../targets/target';

const CONNECT_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 15_000;
/** WebSocket close code of a container that ends (RFC 6455, 7.4.1). */
const GOING_AWAY = 1001;

export interface ConnectionEvents {
  event: [RunEvent];
  status: [ContainerStatus];
  run: [RunRecord];
  /**
   * The link is gone and all pending requests were rejected. `graceful`: the container said that it goes, since
   * it was cooled or its scaledown window has passed.
   */
  close: [reason: string, graceful: boolean];
}

const notificationSchema = v.variant('method', [
  v.object({ method: v.literal('event'), params: notifications.event }),
  v.object({ method: v.literal('status'), params: notifications.status }),
  v.object({ method: v.literal('run'), params: notifications.run }),
]);

/** One WebSocket to a container, past the handshake. It tells nothing before `listen`, and does not reconnect: see ContainerClient. */
export class ContainerConnection extends EventEmitter<ConnectionEvents> {
  private readonly rpc: JSONRPCClient;
  private closeReason = 'the container closed the connection';
  /** What came right behind the handshake, before there could be a listener. */
  private early: (() => void)[] | undefined = [];

  private constructor(
    readonly endpoint: Endpoint,
    private readonly socket: WebSocket,
    heartbeatMs: number,
  ) {
    super();
    this.rpc = new JSONRPCClient((request) => {
      socket.send(JSON.stringify(request));
    });
    socket.on('message', (data: Buffer) => this.receive(data));
    socket.on('error', (error) => {
      this.closeReason = error.message;
    });
    socket.on('close', (code) => this.ended(code === GOING_AWAY));
    watchHeartbeat(socket, heartbeatMs, () => {
      this.closeReason = 'the container did not answer heartbeats';
      socket.terminate();
    });
  }

  /**
   * Connects and shakes hands.
   * @param client who connects, for the container's log: "VS Code", "command line"
   * @throws Error if nobody listens, the token is refused, or the container speaks another protocol version
   */
  static async open(
    endpoint: Endpoint,
    client: string,
    heartbeatMs = HEARTBEAT_MS,
  ): Promise<{ connection: ContainerConnection; status: ContainerStatus }> {
    const { connect } = endpoint;
    const socket = new WebSocket(endpoint.url, {
      headers: { authorization: `Bearer ${endpoint.token}` },
      handshakeTimeout: CONNECT_TIMEOUT_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      ...(connect === undefined ? {} : { createConnection: connect }),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (request, response) => {
        request.destroy();
        reject(new Error(describeRefusal(response.statusCode)));
      });
    });
    const connection = new ContainerConnection(endpoint, socket, heartbeatMs);
    try {
      const { status } = await connection.request('hello', { protocol: PROTOCOL_VERSION, client });
      return { connection, status };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Tells what has come since the handshake, and from here on what comes. To be called once, by who listens. */
  listen(): void {
    const early = this.early ?? [];
    this.early = undefined;
    for (const deliver of early) deliver();
  }

  /** @throws Error the container's answer if it is one, else that the link ended or the time ran out */
  async request<M extends MethodName>(method: M, params: MethodParams<M>): Promise<MethodResult<M>> {
    if (this.socket.readyState !== WebSocket.OPEN) {
      throw new Error(`The link to the container ended: ${this.closeReason}.`);
    }
    const answer: unknown = await this.rpc
      .timeout(REQUEST_TIMEOUT_MS, (id) => ({
        jsonrpc: '2.0',
        id,
        error: {
          code: -32000,
          message: `the container did not answer "${method}" in ${REQUEST_TIMEOUT_MS / 1000} s`,
        },
      }))
      .request(method, params);
    return parse<(typeof methods)[M]['result']>(methods[method].result, answer, `answer to "${method}"`);
  }

  close(): void {
    this.closeReason = 'closed by this side';
    this.socket.close();
    // A peer that does not answer the closing handshake does not keep the socket.
    setTimeout(() => this.socket.terminate(), 1000).unref();
  }

  private receive(data: Buffer): void {
    try {
      const message: unknown = JSON.parse(data.toString('utf8'));
      if (isJSONRPCResponse(message)) {
        this.rpc.receive(message);
        return;
      }
      const notification = parse(notificationSchema, message, 'message from the container');
      this.tell(() => this.notified(notification));
    } catch (error) {
      // A peer that breaks the contract is not talked to any longer: events could be missing.
      this.closeReason = error instanceof Error ? error.message : String(error);
      this.socket.terminate();
    }
  }

  private notified(notification: v.InferOutput<typeof notificationSchema>): void {
    switch (notification.method) {
      case 'event':
        this.emit('event', notification.params);
        break;
      case 'status':
        this.emit('status', notification.params);
        break;
      case 'run':
        this.emit('run', notification.params);
        break;
    }
  }

  private ended(graceful: boolean): void {
    this.rpc.rejectAllPendingRequests(`The link to the container ended: ${this.closeReason}.`);
    this.tell(() => this.emit('close', this.closeReason, graceful));
  }

  private tell(deliver: () => void): void {
    if (this.early === undefined) deliver();
    else this.early.push(deliver);
  }
}

function describeRefusal(httpStatus = 0): string {
  const known = new Map([
    [401, 'The container refused the token: it is not the one that its descriptor tells of.'],
    [503, 'The container has as many clients as it takes. Close some, then try again.'],
  ]);
  return known.get(httpStatus) ?? `The container refused the connection (HTTP ${httpStatus}).`;
}
