import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import * as v from 'valibot';
import type { Manifest } from '../protocol/transfer';
import { missingSchema, sentStateSchema } from '../protocol/transfer';
import { hashFiles } from './hashCache';
import type { FileLink } from './link';
import { manifestDigest } from './manifestDigest';
import { writeHead } from './pieces';
import type { ScannedFile } from './scan';
import { scan } from './scan';

const SMALL_BYTES = 256 * 1024;
/** Small files are joined to writes of about this size. */
const BATCH_BYTES = 256 * 1024;

/** How far a sending is. */
export interface SendProgress {
  sentBytes: number;
  /** What is sent this time: only what has changed. */
  totalBytes: number;
  files: number;
}

export interface SendOptions {
  signal?: AbortSignal | undefined;
  progress?: (progress: SendProgress) => void;
  /** See Manifest. */
  writable?: boolean;
}

/** Name of a folder or file of this machine among what was sent. */
export function sentName(path: string): string {
  const readable = basename(path)
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[-.]+/, '')
    .slice(0, 40);
  const key = createHash('sha256').update(`${hostname()}\0${path}`).digest('hex').slice(0, 12);
  return `${readable === '' ? 'folder' : readable}-${key}`;
}

/**
 * Brings a folder's copy on the container's machine up to date: only content that it lacks is sent. Asked again after
 * it was interrupted, it goes on from there.
 * @throws ScanError, TransferRefused, or Error if the link breaks
 */
export async function sendFolder(
  link: FileLink,
  path: string,
  { signal, progress, writable = false }: SendOptions = {},
): Promise<void> {
  const name = sentName(path);
  const scanned = await scan(path);
  const hashes = await hashFiles(path, scanned);
  const files = scanned.map((file) => ({
    path: file.path,
    bytes: file.bytes,
    sha256: hashes.get(file.path) ?? '',
  }));
  const wantedDigest = manifestDigest(files);
  const { digest } = await link.json(sentStateSchema, {
    path: ['sent', name],
    query: `digest=${wantedDigest}`,
    signal,
  });
  if (digest === wantedDigest) {
    return;
  }
  const manifest: Manifest = { files, writable };
  const body = JSON.stringify(manifest);
  const { missing } = await link.json(missingSchema, {
    method: 'POST',
    path: ['sent', name, 'missing'],
    body,
    signal,
  });
  if (missing.length > 0) {
    const wanted = wantedFiles(scanned, hashes, missing);
    const totalBytes = wanted.reduce((sum, { file, have }) => sum + file.bytes - have, 0);
    let sentBytes = 0;
    const report = (bytes: number): void => {
      sentBytes += bytes;
      progress?.({ sentBytes, totalBytes, files: wanted.length });
    };
    report(0);
    await link.json(v.object({}), {
      method: 'POST',
      path: ['sent', name, 'pack'],
      body: pack(wanted, report),
      signal,
    });
  }
  await link.json(v.object({}), { method: 'POST', path: ['sent', name, 'place'], body, signal });
}

interface Wanted {
  file: ScannedFile;
  sha256: string;
  have: number;
}

/** One file for each content that is missing. */
function wantedFiles(
  files: readonly ScannedFile[],
  hashes: ReadonlyMap<string, string>,
  missing: readonly { sha256: string; have: number }[],
): Wanted[] {
  const byHash = new Map(files.map((file) => [hashes.get(file.path), file]));
  return missing.flatMap(({ sha256, have }) => {
    const file = byHash.get(sha256);
    return file === undefined ? [] : [{ file, sha256, have }];
  });
}

async function* pack(wanted: readonly Wanted[], report: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let batch: Buffer[] = [];
  let batched = 0;
  for (const { file, sha256, have } of wanted) {
    const length = file.bytes - have;
    const head = writeHead({ sha256, bytes: file.bytes, offset: have, length });
    if (length <= SMALL_BYTES && have === 0) {
      batch.push(head, await wholeFile(file));
      batched += length;
      if (batched >= BATCH_BYTES) {
        yield Buffer.concat(batch);
        report(batched);
        batch = [];
        batched = 0;
      }
    } else {
      yield Buffer.concat([...batch, head]);
      report(batched);
      batch = [];
      batched = 0;
      let sent = 0;
      for await (const piece of createReadStream(file.absolute, { start: have }) as AsyncIterable<Buffer>) {
        sent += piece.length;
        yield piece;
        report(piece.length);
      }
      if (sent !== length) {
        throw new Error(`"${file.absolute}" changed while it was sent; try again`);
      }
    }
  }
  yield Buffer.concat(batch);
  report(batched);
}

async function wholeFile({ absolute, bytes }: ScannedFile): Promise<Buffer> {
  const content = await readFile(absolute);
  if (content.length !== bytes) {
    throw new Error(`"${absolute}" changed while it was sent; try again`);
  }
  return content;
}
