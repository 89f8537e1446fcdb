import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm, stat } from 'node:fs/promises';

/** The file could not be had; `message` says why. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
}

export interface DownloadOptions {
  /** First hexadecimal digits of the file's SHA-256. */
  readonly hash: string;
  readonly stop: AbortSignal;
  /** Told at the start and at every tenth of the file. */
  readonly onProgress: (text: string) => void;
  /** A server that sends nothing for so long is given up. */
  readonly stallMs?: number;
}

/** Whether there is a file at `path` whose SHA-256 begins with `hash`. */
export async function isFileWithHash(path: string, hash: string): Promise<boolean> {
  const facts = await stat(path).catch(() => undefined);
  return facts?.isFile() === true && (await hashOf(path)).startsWith(hash);
}

/**
 * Downloads a file whole or not at all. What an earlier attempt got is kept beside it, as `path` and `.part`, and the
 * next one goes on from there. The folder must exist.
 * @throws DownloadError if the server cannot be reached, refuses, stalls or sends another file
 * @throws the reason of `stop` once that is aborted, keeping what has arrived; the file system's errors
 */
export async function download(url: string, path: string, options: DownloadOptions): Promise<void> {
  const part = `${path}.part`;
  await fetchInto(part, url, options);
  if (!(await hashOf(part)).startsWith(options.hash)) {
    await rm(part, { force: true });
    throw new DownloadError(
      `${url} is another file than expected: its SHA-256 does not begin with ${options.hash}`,
    );
  }
  await rename(part, path);
}

async function fetchInto(part: string, url: string, options: DownloadOptions): Promise<void> {
  const { stop, stallMs = 30_000 } = options;
  const stalled = new AbortController();
  const timer = setTimeout(() => {
    stalled.abort(new DownloadError(`${url} sent nothing for ${stallMs / 1000} s`));
  }, stallMs);
  const file = await open(part, 'a');
  try {
    const { size } = await file.stat();
    const signal = AbortSignal.any([stop, stalled.signal]);
    const response = await fetch(url, { signal, headers: size > 0 ? { Range: `bytes=${size}-` } : {} });
    await receive(response, { url, file, present: size, options, alive: () => timer.refresh() });
    await file.sync();
  } catch (error) {
    stop.throwIfAborted();
    stalled.signal.throwIfAborted();
    throw networkError(error, url);
  } finally {
    clearTimeout(timer);
    await file.close();
  }
}

interface Reception {
  url: string;
  file: FileHandle;
  /** Bytes that an earlier attempt got. */
  present: number;
  options: DownloadOptions;
  alive: () => void;
}

async function receive(
  response: Response,
  { url, file, present, options: { onProgress }, alive }: Reception,
): Promise<void> {
  // The part is as long as the file already, or longer: its hash decides.
  if (response.status === 416 && present > 0) {
    return;
  }
  if (!response.ok || response.body === null) {
    throw new DownloadError(`${url} answered ${response.status} ${response.statusText}`.trim());
  }
  let received = present;
  if (response.status !== 206) {
    await file.truncate(0);
    received = 0;
  }
  const length = Number(response.headers.get('content-length') ?? NaN);
  const total = received + length;
  const text = () => `${megabytes(received)}${Number.isNaN(total) ? '' : ` of ${megabytes(total)}`} MB`;
  onProgress(text());
  let told = received;
  const chunks: AsyncIterable<unknown> = response.body;
  for await (const given of chunks) {
    const chunk = bytes(given);
    alive();
    await file.appendFile(chunk);
    received += chunk.byteLength;
    if (received - told >= total / 10) {
      told = received;
      onProgress(text());
    }
  }
  if (received < total) {
    throw new DownloadError(
      `${url} ended after ${received} of ${total} bytes; try again to go on from there`,
    );
  }
}

function networkError(error: unknown, url: string): unknown {
  // fetch rejects with a TypeError whose cause says what happened.
  if (error instanceof TypeError) {
    const { cause } = error;
    const code = cause instanceof Error ? cause.message || cause.name : error.message;
    return new DownloadError(`${url}: ${code}`);
  }
  return error;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) {
    hash.update(bytes(chunk));
  }
  return hash.digest('hex');
}

function bytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) {
    return chunk;
  }
  throw new TypeError('expected bytes');
}

function megabytes(count: number): string {
  return (count / 1e6).toFixed(1);
}
