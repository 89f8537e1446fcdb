import type { JSONRPCRequest } from 'json-rpc-2.0';
import {
  JSONRPCErrorCode,
  JSONRPCErrorException,
  JSONRPCServer,
  createJSONRPCErrorResponse,
  createJSONRPCSuccessResponse,
} from 'json-rpc-2.0';
import type { WebSocket } from 'ws';
import type { RunEvent } from '../../protocol/events';
import type {
  MethodName,
  MethodParams,
  MethodResult,
  NotificationName,
  NotificationParams,
} from '../../protocol/rpc';
import { ErrorCode, MAX_BATCH, MAX_MESSAGE_BYTES, methods } from '../../protocol/rpc';
import { SchemaError, parse } from '../../protocol/schema';
import { PROTOCOL_VERSION } from '../../protocol/version';
import { readMessage } from './message';
import { refusal } from './refusals';
import type { EventSource } from './subscription';
import { Subscription } from './subscription';
import { TokenBucket } from './tokenBucket';

/** Requests that a client may send at once, and in each second after that. */
const BURST = 1000;
const REQUESTS_PER_SECOND = 200;
/** Runs that one client may be attached to. */
const MAX_SUBSCRIPTIONS = 64;
/** A client for which more than this waits does not read: it is cut off, and replays when it is back. */
const MAX_BUFFERED_BYTES = 2 * MAX_MESSAGE_BYTES;
/** While more than this waits, what is told unasked waits too, the newest of each kind alone. */
const MAX_TOLD_BYTES = 256 * 1024;
const CLOSE_GRACE_MS = 1000;
/** RFC 6455, 7.4.1: the endpoint received what violates its policy. */
const POLICY_VIOLATION = 1008;

/** What a session needs of the supervisor: one function for each method. */
export type Handlers = {
  [M in Exclude<MethodName, 'hello' | 'attach' | 'detach'>]: (
    params: MethodParams<M>,
  ) => MethodResult<M> | Promise<MethodResult<M>>;
} & {
  /** Where the run's events are. */
  source(runId: string): Promise<EventSource>;
};

/** One client's connection: answers its requests and sends it what it is attached to. */
export class Session {
  private readonly rpc = new JSONRPCServer({ errorListener: () => undefined });
  private readonly subscriptions = new Map<string, Subscription>();
  /** What the client is told as soon as it has read what waits for it: the state of things, so that the newest will do. */
  private readonly late = new Map<string, object>();
  private greeted = false;
  private readonly allowance = new TokenBucket(BURST, REQUESTS_PER_SECOND);

  constructor(
    private readonly socket: WebSocket,
    handlers: Handlers,
  ) {
    this.rpc.mapErrorToJSONRPCErrorResponse = toErrorResponse;
    this.serve('hello', async ({ protocol }) => {
      if (protocol !== PROTOCOL_VERSION) {
        throw refusal(
          ErrorCode.protocolMismatch,
          `This container speaks protocol version ${PROTOCOL_VERSION} and the client version ${protocol}. ` +
            'Cool the container down, so that the next start brings one that fits.',
        );
      }
      this.greeted = true;
      return { protocol: PROTOCOL_VERSION, status: await handlers.status({}) };
    });
    this.serve('status', handlers.status);
    this.serve('train', handlers.train);
    this.serve('stop', handlers.stop);
    this.serve('runs', handlers.runs);
    this.serve('pin', handlers.pin);
    this.serve('configure', handlers.configure);
    this.serve('cool', handlers.cool);
    this.serve('keepWarm', handlers.keepWarm);
    this.serve('freeze', handlers.freeze);
    this.serve('attach', async ({ runId, afterSeq }) => {
      const source = await handlers.source(runId);
      this.subscriptions.get(runId)?.close();
      this.subscriptions.delete(runId);
      for (const [other, subscription] of this.subscriptions) {
        if (subscription.isClosed) {
          this.subscriptions.delete(other);
        }
      }
      if (this.subscriptions.size >= MAX_SUBSCRIPTIONS) {
        throw refusal(ErrorCode.busy, `A client may follow ${MAX_SUBSCRIPTIONS} runs at a time.`);
      }
      if (socket.readyState === socket.OPEN) {
        this.subscriptions.set(
          runId,
          new Subscription(source, afterSeq, (events) => this.sendEvents(events)),
        );
      }
      return {};
    });
    this.serve('detach', ({ runId }) => {
      this.subscriptions.get(runId)?.close();
      this.subscriptions.delete(runId);
      return {};
    });
    socket.on('message', (data: Buffer, isBinary) => void this.receive(data, isBinary));
    socket.on('close', () => {
      for (const subscription of this.subscriptions.values()) {
        subscription.close();
      }
    });
  }

  /** The client is told of what happens. */
  get hasGreeted(): boolean {
    return this.greeted;
  }

  /** The run's log has grown. */
  wake(runId: string): void {
    this.subscriptions.get(runId)?.wake();
  }

  /** Tells the state of something. The client may miss a state that is over, and gets the newest. */
  notify<N extends Exclude<NotificationName, 'event'>>(method: N, params: NotificationParams<N>): void {
    if (this.greeted) {
      const subject = 'runId' in params ? `${method} ${params.runId}` : method;
      this.late.delete(subject);
      this.late.set(subject, { jsonrpc: '2.0', method, params });
      this.tellLate();
    }
  }

  private readonly tellLate = (): void => {
    for (const [subject, message] of this.late) {
      if (this.socket.bufferedAmount > MAX_TOLD_BYTES) {
        return;
      }
      this.late.delete(subject);
      this.send(message);
    }
  };

  private serve<M extends MethodName>(
    name: M,
    handle: (params: MethodParams<M>) => MethodResult<M> | Promise<MethodResult<M>>,
  ): void {
    this.rpc.addMethodAdvanced(name, async (request: JSONRPCRequest) => {
      if (!this.greeted && name !== 'hello') {
        throw refusal(
          ErrorCode.helloFirst,
          `"${name}" came before "hello", which has to be the first request.`,
        );
      }
      const given: unknown = request.params ?? {};
      const params = parse<(typeof methods)[M]['params']>(
        methods[name].params,
        given,
        `parameters of "${name}"`,
      );
      const result = await handle(params);
      // A notification has no id and gets no answer.
      return request.id === undefined ? null : createJSONRPCSuccessResponse(request.id, result);
    });
  }

  private async receive(data: Buffer, isBinary: boolean): Promise<void> {
    const text = isBinary ? '' : data.toString('utf8');
    const message = readMessage(text);
    const isBatch = Array.isArray(message);
    if (!this.allowance.take(isBatch ? Math.max(1, Math.min(message.length, MAX_BATCH)) : 1)) {
      this.refuse(
        `More than ${REQUESTS_PER_SECOND} requests a second after the first ${BURST}: the connection is closed.`,
      );
      return;
    }
    if (message === undefined || message === null) {
      this.send(createJSONRPCErrorResponse(null, JSONRPCErrorCode.ParseError, 'Parse error'));
    } else if (isBatch && message.length > MAX_BATCH) {
      const why = `A batch may have ${MAX_BATCH} requests`;
      this.send(createJSONRPCErrorResponse(null, JSONRPCErrorCode.InvalidRequest, why));
    } else {
      await this.answer(text);
    }
  }

  private async answer(text: string): Promise<void> {
    try {
      const response = await this.rpc.receiveJSON(text);
      if (response !== null) {
        this.send(response);
      }
    } catch {
      // The library trips over a batch with an element that is no object.
      this.send(createJSONRPCErrorResponse(null, JSONRPCErrorCode.InvalidRequest, 'Invalid Request'));
    }
  }

  private refuse(why: string): void {
    this.socket.removeAllListeners('message');
    this.send(createJSONRPCErrorResponse(null, ErrorCode.tooManyMessages, why));
    this.socket.close(POLICY_VIOLATION, 'too many requests');
    // One that does not take part in the closing handshake is not waited for.
    setTimeout(() => this.socket.terminate(), CLOSE_GRACE_MS).unref();
  }

  private send(message: object): void {
    const { socket } = this;
    if (socket.readyState !== socket.OPEN) {
      return;
    }
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      socket.terminate();
      return;
    }
    socket.send(JSON.stringify(message), this.tellLate);
  }

  private async sendEvents(events: readonly RunEvent[]): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      events.forEach((event, index) => {
        const message = JSON.stringify({ jsonrpc: '2.0', method: 'event', params: event });
        this.socket.send(message, (error) => {
          if (error) {
            reject(error);
          } else if (index === events.length - 1) {
            resolve();
          }
        });
      });
    });
  }
}

function toErrorResponse(
  id: JSONRPCRequest['id'] | null,
  error: unknown,
): ReturnType<typeof createJSONRPCErrorResponse> {
  const known = id ?? null;
  if (error instanceof JSONRPCErrorException) {
    const data: unknown = error.data;
    return createJSONRPCErrorResponse(known, error.code, error.message, data);
  }
  if (error instanceof SchemaError) {
    return createJSONRPCErrorResponse(known, JSONRPCErrorCode.InvalidParams, error.message);
  }
  const message = error instanceof Error ? error.message : String(error);
  return createJSONRPCErrorResponse(known, JSONRPCErrorCode.InternalError, message);
}
