import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Dialling } from './dial';

export interface EngineRequest {
  method: 'GET' | 'POST';
  path: string;
  body?: unknown;
  /** Sent instead of a body. */
  upload?: Readable;
  /** For the head of the answer to come. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** The engine refused a request; `message` is its own. */
export class EngineRefusal extends Error {
  override readonly name = 'EngineRefusal';
  constructor(
    readonly statusCode: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * One request that dockerode has no method for.
 * @returns the answer, its body yet to be read
 * @throws EngineRefusal for an HTTP status from 400, Error if the engine cannot be reached
 */
export async function ask(to: Dialling, what: EngineRequest): Promise<IncomingMessage> {
  const { method, path, body, upload, timeoutMs, signal } = what;
  const json = body === undefined ? undefined : JSON.stringify(body);
  const { protocol, ...where } = to;
  const options: RequestOptions = {
    ...where,
    method,
    path,
    signal,
    headers: {
      host: 'engine',
      ...(json === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
      ...(upload === undefined
        ? {}
        : { 'content-type': 'application/x-tar', 'transfer-encoding': 'chunked' }),
    },
  };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = (protocol === 'https' ? tlsRequest : plainRequest)(options, resolve);
    request.setTimeout(timeoutMs, () => {
      request.destroy(new Error(`the engine did not answer within ${timeoutMs / 1000} s`));
    });
    request.once('error', reject);
    if (upload === undefined) {
      request.end(json);
    } else {
      pipeline(upload, request).catch(reject);
    }
  });
  const statusCode = answer.statusCode ?? 0;
  if (statusCode >= 400) {
    throw new EngineRefusal(statusCode, messageOf(await text(answer)));
  }
  return answer;
}

/** The whole of an answer's body. */
export async function text(answer: IncomingMessage): Promise<string> {
  let all = '';
  for await (const piece of answer.setEncoding('utf8')) {
    all += String(piece);
  }
  return all;
}

function messageOf(body: string): string {
  try {
    const said: unknown = JSON.parse(body);
    if (typeof said === 'object' && said !== null && 'message' in said && typeof said.message === 'string') {
      return said.message;
    }
  } catch {
    // It is no JSON: what it is says enough.
  }
  return body.trim();
}
