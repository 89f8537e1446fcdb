import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Manifest } from '../../protocol/transfer';
import { SENT_FOLDER } from '../../protocol/transfer';
import { inParallel } from '../../transfer/inParallel';
import { manifestDigest } from '../../transfer/manifestDigest';
import { ContentStore } from './contentStore';
import { PieceReader } from './pieceReader';

/** Content up to this size is taken whole. */
const SMALL_BYTES = 1024 * 1024;
const AT_ONCE = 32;

/** Folders that were sent to the data volume: each is put in place whole, by links to its content. */
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

  private async placeNow(name: string, { files, writable = false }: Manifest): Promise<void> {
    const made = join(this.root, `.new-${randomUUID()}`);
    const old = join(this.root, `.old-${randomUUID()}`);
    try {
      await mkdir(made, { recursive: true });
      for (const dir of new Set(files.map(({ path }) => dirname(path)))) {
        await mkdir(join(made, dir), { recursive: true });
      }
      await inParallel(files, async ({ path, sha256 }) => {
        await this.put(this.store.path(sha256), join(made, path), writable);
      });
      await rm(this.digestPath(name), { force: true });
      const place = join(this.root, name);
      await rename(place, old).catch(() => undefined);
      await rename(made, place);
      await writeFile(this.digestPath(name), manifestDigest(files));
    } finally {
      await rm(made, { recursive: true, force: true });
      await rm(old, { recursive: true, force: true });
    }
    await this.store.prune(Date.now());
  }

  private async put(content: string, place: string, writable: boolean): Promise<void> {
    if (!writable) {
      try {
        await link(content, place);
        return;
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
          throw new Error('content of a file is missing; send it again', { cause: error });
        }
        // A file system without links, or one that has no more for this file.
      }
    }
    await copyFile(content, place, constants.COPYFILE_FICLONE);
  }

  private digestPath(name: string): string {
    return join(this.root, `.digest-${name}`);
  }
}
