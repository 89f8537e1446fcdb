import type { JSONRPCRequest, JSONRPCResponse } from 'json-rpc-2.0';
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
import { ErrorCode, methods } from '../../protocol/rpc';
import { SchemaError, parse } from '../../protocol/schema';
import { PROTOCOL_VERSION } from '../../protocol/version';
import { refusal } from './refusals';
import type { EventSource } from './subscription';
import { Subscription } from './subscription';

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
  private greeted = false;

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
    this.serve('attach', async ({ runId, afterSeq }) => {
      const source = await handlers.source(runId);
      this.subscriptions.get(runId)?.close();
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

  /** The run's log has grown. */
  wake(runId: string): void {
    this.subscriptions.get(runId)?.wake();
  }

  notify<N extends NotificationName>(method: N, params: NotificationParams<N>): void {
    if (this.greeted) {
      this.socket.send(JSON.stringify({ jsonrpc: '2.0', method, params }));
    }
  }

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
    let response: JSONRPCResponse | JSONRPCResponse[] | null;
    try {
      response = await this.rpc.receiveJSON(text);
    } catch {
      // The library trips over a batch with an element that is no object.
      response = createJSONRPCErrorResponse(null, JSONRPCErrorCode.InvalidRequest, 'Invalid Request');
    }
    if (response !== null && this.socket.readyState === this.socket.OPEN) {
      this.socket.send(JSON.stringify(response));
    }
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
