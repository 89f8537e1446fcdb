import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm, stat, utimes, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { removeStaleTemporaries, writeFileAtomic } from '../../volume/atomicFile';
import type { ImageFolder } from './imageFolder';

/** What one cache file holds: the decoded images, and which files they came from. */
export type CachedImages = {
  /** RGB bytes, shape [count, size, size, 3], in the order of the folder's files without the skipped ones. */
  readonly images: Uint8Array;
  readonly skipped: readonly { readonly fileIndex: number; readonly reason: string }[];
};

const magic = 'TINYCATS';
/** Raised whenever decoding or resizing would give other bytes. */
const version = 1;
const prefixBytes = 16;
const suffix = '.images';
const keptFiles = 8;
/** One read or write; Node takes no more than 2 GiB at once. */
const pieceBytes = 64 * 1024 * 1024;

const headerSchema = v.object({
  dataBytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
  dataSha256: v.string(),
  skipped: v.array(v.object({ fileIndex: v.pipe(v.number(), v.integer(), v.minValue(0)), reason: v.string() })),
});

type Header = Readonly<Omit<v.InferOutput<typeof headerSchema>, 'skipped'>> & Pick<CachedImages, 'skipped'>;

/** The cache file of a folder's present content at one image size. */
export function cachePath(cacheDir: string, folder: ImageFolder, imageSize: number): string {
  const key = createHash('sha256').update(`${folder.dir}\0${folder.fingerprint}`).digest('hex').slice(0, 32);
  return join(cacheDir, `${key}-${imageSize}${suffix}`);
}

/**
 * Reads a cache file and marks it as used. Undefined if there is none, or if it is cut off, damaged or of another
 * version: it is then to be made again.
 */
export async function readCache(path: string, bytesPerImage: number, fileCount: number): Promise<CachedImages | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const { size } = await file.stat();
    const prefix = Buffer.alloc(prefixBytes);
    await readFully(file, prefix, 0);
    const headerBytes = prefix.readUInt32LE(12);
    if (prefix.toString('latin1', 0, 8) !== magic || prefix.readUInt32LE(8) !== version) return undefined;
    if (prefixBytes + headerBytes > size) return undefined;
    const json = Buffer.alloc(headerBytes);
    await readFully(file, json, prefixBytes);
    const header = v.parse(headerSchema, JSON.parse(json.toString()));
    const expectedBytes = (fileCount - header.skipped.length) * bytesPerImage;
    if (header.dataBytes !== expectedBytes || prefixBytes + headerBytes + expectedBytes !== size) return undefined;
    const images = new Uint8Array(header.dataBytes);
    await readFully(file, images, prefixBytes + headerBytes);
    if (digest(images) !== header.dataSha256) return undefined;
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
    return { images, skipped: header.skipped };
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

/**
 * Writes a cache file whole or not at all, and removes the ones least recently used beyond the newest few.
 *
 * @throws the system's error if the folder cannot be written
 */
export async function writeCache(cacheDir: string, path: string, content: CachedImages): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  const header = Buffer.from(
    JSON.stringify({
      dataBytes: content.images.length,
      dataSha256: digest(content.images),
      skipped: content.skipped,
    } satisfies Header),
  );
  const prefix = Buffer.alloc(prefixBytes);
  prefix.write(magic, 'latin1');
  prefix.writeUInt32LE(version, 8);
  prefix.writeUInt32LE(header.length, 12);
  await writeFileAtomic(path, [prefix, header, ...pieces(content.images)]);
  await removeOld(cacheDir);
}

/** Keeps the cache files used last; also removes what a killed process left half-written. */
async function removeOld(cacheDir: string): Promise<void> {
  const found: { path: string; mtimeMs: number }[] = [];
  for (const name of await readdir(cacheDir)) {
    if (!name.endsWith(suffix)) continue;
    const path = join(cacheDir, name);
    // Another process may be removing it too.
    const stats = await stat(path).catch(() => undefined);
    if (stats) found.push({ path, mtimeMs: stats.mtimeMs });
  }
  found.sort((a, b) => b.mtimeMs - a.mtimeMs);
  for (const { path } of found.slice(keptFiles)) await rm(path, { force: true });
  await removeStaleTemporaries(cacheDir);
}

/** Parts of one buffer, each small enough for one read or write. */
function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes);
}

async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length;) {
    const length = Math.min(pieceBytes, into.length - done);
    const { bytesRead } = await file.read(into, done, length, position + done);
    if (bytesRead === 0) throw new Error('The cache file ended early.');
    done += bytesRead;
  }
}

function digest(bytes: Uint8Array): string {
  const hash = createHash('sha256');
  for (const piece of pieces(bytes)) hash.update(piece);
  return hash.digest('hex');
}
