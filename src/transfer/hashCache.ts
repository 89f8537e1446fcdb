import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { stateHome } from '../targets/local/stateHome';
import { writeFileAtomic } from '../volume/atomicFile';
import { inParallel } from './inParallel';
import type { ScannedFile } from './scan';

const cacheSchema = v.record(v.string(), v.tuple([v.string(), v.string()]));

/** SHA-256 of a folder's files; one that has not changed since is not read again. */
export async function hashFiles(root: string, files: readonly ScannedFile[]): Promise<Map<string, string>> {
  const path = join(
    stateHome(),
    'hashes',
    `${createHash('sha256').update(root).digest('hex').slice(0, 16)}.json`,
  );
  const known = await readCache(path);
  const hashes = new Map<string, string>();
  let isChanged = files.length !== Object.keys(known).length;
  await inParallel(files, async (file) => {
    const [stamp, hash] = known[file.path] ?? [];
    if (stamp === file.stamp && hash !== undefined) {
      hashes.set(file.path, hash);
      return;
    }
    isChanged = true;
    hashes.set(file.path, await hashOf(file.absolute));
  });
  if (isChanged) {
    const entries = files.map((file) => [file.path, [file.stamp, hashes.get(file.path) ?? '']]);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFileAtomic(path, JSON.stringify(Object.fromEntries(entries)));
  }
  return hashes;
}

/** SHA-256 of a file, in hexadecimal. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function readCache(path: string): Promise<v.InferOutput<typeof cacheSchema>> {
  try {
    return v.parse(cacheSchema, JSON.parse(await readFile(path, 'utf8')));
  } catch {
    // Without one all is read.
    return {};
  }
}
