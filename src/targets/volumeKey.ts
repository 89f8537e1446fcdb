import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { basename, dirname } from 'node:path';

/** Name of the volumes of one workspace of one machine, readable and safe as a folder's name. */
export function volumeKey(outputsDir: string): string {
  const readable = basename(dirname(outputsDir))
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[-.]+/, '')
    .slice(0, 32);
  const key = createHash('sha256').update(`${hostname()}\0${outputsDir}`).digest('hex').slice(0, 12);
  return readable === '' ? key : `${readable}-${key}`;
}
