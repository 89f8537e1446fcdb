import type { ImageFile } from './imageFolder';
import { listPacks } from './packCache';
import { PackReader } from './packReader';

type Known = { readonly pack: PackReader; readonly position: number } | { readonly reason: string };

/** What the cache knows about images by their content, from all packs of one image size. */
export class KnownImages {
  readonly #packs: PackReader[] = [];
  readonly #byHash = new Map<string, Known>();
  /** By path, bytes and modification time. */
  readonly #hashes = new Map<string, string>();

  /** Reads the packs' indexes; damaged packs know nothing. To be closed. */
  static async open(cacheDir: string, imageSize: number, dir: string): Promise<KnownImages> {
    const known = new KnownImages();
    for (const { path } of await listPacks(cacheDir, imageSize)) {
      const pack = await PackReader.open(path, imageSize * imageSize * 3);
      if (pack) await known.#add(pack, dir);
    }
    return known;
  }

  async #add(pack: PackReader, dir: string): Promise<void> {
    this.#packs.push(pack);
    const index = await pack.readIndex();
    if (!index) return;
    const reasons = new Map(pack.facts.skipped.map(({ fileIndex, reason }) => [fileIndex, reason]));
    let position = 0;
    for (const [i, [relativePath, bytes, mtimeMs, hash]] of index.files.entries()) {
      const reason = reasons.get(i);
      const known: Known = reason === undefined ? { pack, position: position++ } : { reason };
      if (hash === null) continue;
      if (!this.#byHash.has(hash)) this.#byHash.set(hash, known);
      const name = nameOf({ relativePath, bytes, mtimeMs });
      if (index.dir === dir && !this.#hashes.has(name)) this.#hashes.set(name, hash);
    }
  }

  /** The contents it knows. */
  get hashes(): ReadonlySet<string> {
    return new Set(this.#byHash.keys());
  }

  /** The content of a file that is as it was, without reading it. */
  hashOf(file: Pick<ImageFile, 'relativePath' | 'bytes' | 'mtimeMs'>): string | undefined {
    return this.#hashes.get(nameOf(file));
  }

  /** Writes the image to `out`; or says why there is none; undefined if it must be decoded after all. */
  async take(hash: string, out: Uint8Array): Promise<{ readonly reason?: string } | undefined> {
    const known = this.#byHash.get(hash);
    if (!known) return undefined;
    if ('reason' in known) return { reason: known.reason };
    const isWhole = await known.pack.readChecked(known.position, out).catch(() => false);
    return isWhole ? {} : undefined;
  }

  async close(): Promise<void> {
    await Promise.all(this.#packs.map((pack) => pack.close()));
  }
}

function nameOf({
  relativePath,
  bytes,
  mtimeMs,
}: Pick<ImageFile, 'relativePath' | 'bytes' | 'mtimeMs'>): string {
  return `${relativePath}\0${bytes}\0${mtimeMs}`;
}
