import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { PieceHead } from '../../transfer/pieces';

/** Content that no folder has any more is kept for so long, in case it comes back. */
const KEPT_MS = 7 * 24 * 3_600_000;

/** Content by its SHA-256. A part that has arrived stays, so that the rest can follow later. */
export class ContentStore {
  private readonly made = new Map<string, Promise<unknown>>();

  constructor(private readonly dir: string) {}

  path(sha256: string): string {
    return join(this.dir, sha256.slice(0, 2), sha256.slice(2));
  }

  /** How many of the content's bytes are here. */
  async have(sha256: string, bytes: number): Promise<number> {
    const whole = await sizeOf(this.path(sha256));
    if (whole === bytes) {
      return bytes;
    }
    // One of another size was cut off by a power loss.
    const part = (await sizeOf(this.partPath(sha256))) ?? 0;
    return part <= bytes ? part : 0;
  }

  /** Whether the whole content is here. */
  async has(sha256: string): Promise<boolean> {
    return (await sizeOf(this.path(sha256))) !== undefined;
  }

  /** Takes a whole small content. @throws Error if it is not what its name says */
  async put(sha256: string, content: Buffer): Promise<void> {
    if (createHash('sha256').update(content).digest('hex') !== sha256) {
      throw new Error('what arrived is not what was sent; send it again');
    }
    await this.folder(sha256);
    const part = this.partPath(sha256);
    await writeFile(part, content, { mode: 0o444 });
    await rename(part, this.path(sha256));
  }

  /** Takes a piece of a content, which has to begin where the last one ended. */
  async append({ sha256, bytes, offset }: PieceHead, pieces: AsyncIterable<Buffer>): Promise<void> {
    await this.folder(sha256);
    const part = this.partPath(sha256);
    const file = await open(part, offset === 0 ? 'w' : 'r+', 0o600);
    let at = offset;
    try {
      if ((await file.stat()).size < offset) {
        throw new Error('a piece of a file is missing; send it again');
      }
      for await (const piece of pieces) {
        await file.write(piece, 0, piece.length, at);
        at += piece.length;
      }
      await file.truncate(at);
    } finally {
      await file.close();
    }
    if (at === bytes) {
      await this.finish(sha256);
    }
  }

  /** Removes content that nothing uses any more. */
  async prune(now: number): Promise<void> {
    for (const folder of await readdir(this.dir).catch(() => [])) {
      for (const name of await readdir(join(this.dir, folder)).catch(() => [])) {
        const path = join(this.dir, folder, name);
        const facts = await stat(path).catch(() => undefined);
        if (facts?.nlink === 1 && now - facts.mtimeMs > KEPT_MS) {
          await rm(path, { force: true });
        }
      }
    }
  }

  private async finish(sha256: string): Promise<void> {
    const part = this.partPath(sha256);
    const hash = createHash('sha256');
    await pipeline(createReadStream(part), hash);
    if (hash.digest('hex') !== sha256) {
      await rm(part, { force: true });
      throw new Error('what arrived is not what was sent; send it again');
    }
    await rename(part, this.path(sha256));
  }

  private partPath(sha256: string): string {
    return `${this.path(sha256)}.part`;
  }

  private async folder(sha256: string): Promise<void> {
    const dir = join(this.dir, sha256.slice(0, 2));
    const making = this.made.get(dir) ?? mkdir(dir, { recursive: true });
    this.made.set(dir, making);
    await making;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}
