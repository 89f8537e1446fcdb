import { createHash } from 'node:crypto';
import type { Manifest } from '../protocol/transfer';

/** Names a manifest by what is in it, in whatever order. */
export function manifestDigest(files: Manifest['files']): string {
  const hash = createHash('sha256');
  for (const line of files.map(({ path, sha256 }) => `${path}\0${sha256}\n`).sort()) {
    hash.update(line);
  }
  return hash.digest('hex');
}
