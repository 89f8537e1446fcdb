import { randomUUID } from 'node:crypto';
import { chmod, constants, copyFile, link, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import type { Manifest } from '../../protocol/transfer';
import { SENT_FOLDER } from '../../protocol/transfer';
import { inParallel } from '../../transfer/inParallel';
import { manifestDigest } from '../../transfer/manifestDigest';
import { writeFileAtomic } from '../../volume/atomicFile';
import { ContentStore } from './contentStore';
import { PieceReader } from './pieceReader';

/** Content up to this size is taken whole. */
const SMALL_BYTES = 1024 * 1024;
const AT_ONCE = 32;

/** Folders that were sent to the data volume: data as a whole, by links to its content, code file by file. */
export class SentFolders {
  private readonly root: string;
  private readonly store: ContentStore;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(dataDir: string) {
    this.root = join(dataDir, SENT_FOLDER);
    this.store = new ContentStore(join(this.root, '.content'));
  }

  /** Digest of what was placed under that name last; null if nothing is there. */
  async digest(name: string): Promise<string | null> {
    return readFile(this.digestPath(name), 'utf8').catch(() => null);
  }

  /** What has yet to arrive. */
  async missing({ files }: Manifest): Promise<{ sha256: string; have: number }[]> {
    const contents = new Map(files.map(({ sha256, bytes }) => [sha256, bytes]));
    const missing: { sha256: string; have: number }[] = [];
    await inParallel([...contents], async ([sha256, bytes]) => {
      const have = await this.store.have(sha256, bytes);
      if (have < bytes || (bytes === 0 && !(await this.store.has(sha256)))) {
        missing.push({ sha256, have });
      }
    });
    return missing;
  }

  /** Takes a pack. What came before it was cut off stays. */
  async receive(stream: AsyncIterable<Buffer, undefined>): Promise<void> {
    const pieces = new PieceReader(stream);
    const writing = new Set<Promise<void>>();
    try {
      for (let head = await pieces.head(); head !== undefined; head = await pieces.head()) {
        const isWhole = head.offset === 0 && head.length === head.bytes;
        if (!isWhole || head.bytes > SMALL_BYTES) {
          await this.store.append(head, pieces.body(head.length));
          continue;
        }
        const content: Buffer[] = [];
        for await (const some of pieces.body(head.length)) {
          content.push(some);
        }
        const put: Promise<void> = this.store.put(head.sha256, Buffer.concat(content)).finally(() => {
          writing.delete(put);
        });
        writing.add(put);
        if (writing.size >= AT_ONCE) {
          await Promise.race(writing);
        }
      }
    } finally {
      await Promise.all(writing);
    }
  }

  /** Puts the folder in place of what was there under its name. @throws Error if content is missing */
  async place(name: string, manifest: Manifest): Promise<void> {
    const placing = this.turn.then(() => this.placeNow(name, manifest));
    this.turn = placing.catch(() => undefined);
    await placing;
  }

  private async placeNow(name: string, manifest: Manifest): Promise<void> {
    await rm(this.digestPath(name), { force: true });
    if (manifest.writable === true) {
      await this.update(name, manifest.files);
    } else {
      await this.replace(name, manifest.files);
    }
    await writeFileAtomic(this.digestPath(name), manifestDigest(manifest.files));
    await this.store.prune(Date.now());
  }

  /** The folder as a whole, by links to its content. */
  private async replace(name: string, files: Manifest['files']): Promise<void> {
    const made = join(this.root, `.new-${randomUUID()}`);
    const old = join(this.root, `.old-${randomUUID()}`);
    try {
      await makeFolders(made, files);
      await inParallel(files, async ({ path, sha256 }) => {
        await this.link(this.store.path(sha256), join(made, path));
      });
      const place = join(this.root, name);
      await rename(place, old).catch(() => undefined);
      await rename(made, place);
    } finally {
      await rm(made, { recursive: true, force: true });
      await rm(old, { recursive: true, force: true });
    }
  }

  /** File by file, what has changed: what else is there was made there, and stays. */
  private async update(name: string, files: Manifest['files']): Promise<void> {
    const place = join(this.root, name);
    const before = await this.placedBefore(name);
    const now = new Set(files.map(({ path }) => path));
    // A file may have become a folder, or the other way round.
    await inParallel(
      [...before.keys()].filter((path) => !now.has(path)),
      (path) => rm(join(place, path), { force: true }),
    );
    await makeFolders(place, files);
    const isHere = async ({ path, sha256 }: Manifest['files'][number]): Promise<boolean> =>
      before.get(path) === sha256 && (await exists(join(place, path)));
    await inParallel(files, async (file) => {
      if (!(await isHere(file))) {
        const made = join(this.root, `.new-${randomUUID()}`);
        await this.copy(this.store.path(file.sha256), made);
        await rename(made, join(place, file.path));
      }
    });
    await writeFileAtomic(
      this.placedPath(name),
      JSON.stringify(Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256]))),
    );
  }

  /** What was put there last, by path. */
  private async placedBefore(name: string): Promise<Map<string, string>> {
    try {
      return new Map(
        Object.entries(v.parse(placedSchema, JSON.parse(await readFile(this.placedPath(name), 'utf8')))),
      );
    } catch {
      // Nothing was, or it is not known any more: all is put there anew.
      return new Map();
    }
  }

  private async link(content: string, place: string): Promise<void> {
    try {
      await link(content, place);
    } catch (error) {
      rethrowMissing(error);
      // A file system without links, or one that has no more for this file.
      await this.copy(content, place);
    }
  }

  private async copy(content: string, place: string): Promise<void> {
    try {
      await copyFile(content, place, constants.COPYFILE_FICLONE);
      await chmod(place, 0o644);
    } catch (error) {
      rethrowMissing(error);
      throw error;
    }
  }

  private digestPath(name: string): string {
    return join(this.root, `.digest-${name}`);
  }

  private placedPath(name: string): string {
    return join(this.root, `.placed-${name}`);
  }
}

const placedSchema = v.record(v.string(), v.string());

async function makeFolders(root: string, files: Manifest['files']): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const dir of new Set(files.map(({ path }) => dirname(path)))) {
    await mkdir(join(root, dir), { recursive: true });
  }
}

function rethrowMissing(error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    throw new Error('content of a file is missing; send it again', { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
}
