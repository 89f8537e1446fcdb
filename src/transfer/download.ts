import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { FileFacts } from '../protocol/transfer';
import { fileFactsSchema } from '../protocol/transfer';
import { hashOf } from './hashCache';
import type { FileLink } from './link';

export interface DownloadOptions {
  signal?: AbortSignal | undefined;
  progress?: (receivedBytes: number, totalBytes: number) => void;
}

/**
 * Fetches a file of a run to `destination`, whole and verified or not at all. Asked again after it was interrupted it
 * goes on from there. A file that is here already, and the same, is not fetched.
 * @throws TransferRefused, or Error if the link breaks or the file is not what it should be
 */
export async function download(
  link: FileLink,
  runId: string,
  file: string,
  destination: string,
  { signal, progress }: DownloadOptions = {},
): Promise<void> {
  const path = ['runs', runId, ...file.split('/')];
  const facts: FileFacts = await link.json(fileFactsSchema, { path, query: 'facts', signal });
  if ((await sizeOf(destination)) === facts.bytes && (await hashOf(destination)) === facts.sha256) {
    return;
  }
  await mkdir(dirname(destination), { recursive: true });
  // Named by its content: what was begun of another one is not gone on with.
  const part = `${destination}.${facts.sha256.slice(0, 16)}.part`;
  let have = (await sizeOf(part)) ?? 0;
  if (have > facts.bytes) {
    await rm(part);
    have = 0;
  }
  if (have < facts.bytes) {
    const response = await link.open({ path, headers: { range: `bytes=${have}-` }, signal });
    let received = have;
    response.on('data', (piece: Buffer) => {
      received += piece.length;
      progress?.(received, facts.bytes);
    });
    await pipeline(response, createWriteStream(part, { flags: 'a' }));
  } else if (facts.bytes === 0) {
    await pipeline([], createWriteStream(part));
  }
  if ((await hashOf(part)) !== facts.sha256) {
    await rm(part, { force: true });
    throw new Error(`"${file}" changed while it was fetched, or was damaged on the way; fetch it again`);
  }
  await rename(part, destination);
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}
