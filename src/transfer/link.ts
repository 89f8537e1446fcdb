import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import * as v from 'valibot';
import { parse } from '../protocol/schema';
import { FILES_PATH, refusalSchema } from '../protocol/transfer';
import type { Endpoint } from '../targets/target';

/** The container has refused; against a link that broke, trying again is of no use. */
export class TransferRefused extends Error {
  override readonly name = 'TransferRefused';
}

export interface LinkRequest {
  method?: 'GET' | 'POST';
  /** Below FILES_PATH, each part as it is. */
  path: readonly string[];
  query?: string;
  headers?: Record<string, string>;
  body?: string | AsyncIterable<Uint8Array>;
  signal?: AbortSignal | undefined;
}

/** Requests for files over a container's own link. */
export class FileLink {
  constructor(private readonly endpoint: Endpoint) {}

  /** Asks for something small. @throws TransferRefused, or Error if the link breaks */
  async json<T extends v.GenericSchema>(schema: T, request: LinkRequest): Promise<v.InferOutput<T>> {
    const response = await this.open(request);
    const text = await textOf(response);
    return parse(schema, JSON.parse(text), 'answer about files');
  }

  /** Asks for content. @throws TransferRefused, or Error if the link breaks */
  async open({
    method = 'GET',
    path,
    query,
    headers,
    body = '',
    signal,
  }: LinkRequest): Promise<IncomingMessage> {
    const { url, token, connect } = this.endpoint;
    const address = new URL(url.replace(/^ws/, 'http'));
    const base = address.pathname.replace(/\/$/, '');
    const request = (address.protocol === 'https:' ? httpsRequest : httpRequest)({
      host: address.hostname,
      port: address.port,
      method,
      path: `${base}${FILES_PATH}/${path.map(encodeURIComponent).join('/')}${query === undefined ? '' : `?${query}`}`,
      headers: { ...headers, authorization: `Bearer ${token}` },
      ...(signal === undefined ? {} : { signal }),
      ...(connect === undefined ? {} : { createConnection: connect }),
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.once('error', reject);
    });
    const sent = pipeline(typeof body === 'string' ? Readable.from([Buffer.from(body)]) : body, request);
    // One that is refused in the middle of its body is answered all the same.
    sent.catch(() => undefined);
    const response = await answered;
    const { statusCode = 0 } = response;
    if (statusCode >= 300) {
      throw new TransferRefused(messageIn(await textOf(response), statusCode));
    }
    return response;
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function messageIn(text: string, status: number): string {
  try {
    return v.parse(refusalSchema, JSON.parse(text)).message;
  } catch {
    return `the container refused it (HTTP ${status})`;
  }
}
