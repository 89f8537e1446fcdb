import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack } from 'tar-stream';

/** What of the program's folder a container needs; the rest belongs to this side. */
const NEEDED = /^(container|trainer|trainer-worker|batch-worker|decode-worker)\.js$|^(code|wasm|python)\//;

export interface BundleFile {
  /** Relative, with `/`. */
  path: string;
  content: Buffer;
}

/** The program as it is sent to where a container is to live. */
export class Bundle {
  private constructor(
    readonly files: readonly BundleFile[],
    /** Names the files by their content. */
    readonly hash: string,
  ) {}

  /** @param bundleDir folder of container.js and trainer.js */
  static async read(bundleDir: string): Promise<Bundle> {
    const entries = await readdir(bundleDir, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(bundleDir.length + 1)
          .replaceAll('\\', '/'),
      )
      .filter((path) => NEEDED.test(path))
      .sort();
    const files = await Promise.all(
      paths.map(async (path) => ({ path, content: await readFile(join(bundleDir, path)) })),
    );
    const hash = createHash('sha256');
    for (const { path, content } of files) {
      hash.update(`${path}\0${content.length}\0`).update(content);
    }
    return new Bundle(files, hash.digest('hex').slice(0, 16));
  }

  /** All files as a compressed tar. */
  async tar(): Promise<Buffer> {
    const archive = pack();
    for (const { path, content } of this.files) {
      archive.entry({ name: path, mode: 0o644 }, content);
    }
    archive.finalize();
    const pieces: Uint8Array[] = [];
    for await (const piece of archive) {
      pieces.push(piece);
    }
    return promisify(gzip)(Buffer.concat(pieces));
  }
}
