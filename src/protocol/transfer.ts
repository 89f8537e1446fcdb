import * as v from 'valibot';
import { count } from './schema';

/**
 * Files travel by HTTP over the container's own door, with its token: data and code to where it lives, checkpoints
 * back. Content is named by its SHA-256, so that nothing is sent twice and what has arrived stays.
 */
export const FILES_PATH = '/files';

/** Name of what is sent, below the data volume's folder of that name. */
export const SENT_FOLDER = 'sent';
export const sentNameSchema = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/, 'expected a name'),
);

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected a SHA-256'));
const relativePath = v.pipe(
  v.string(),
  v.check(
    (path) => !/[\\\0]/.test(path) && path.split('/').every((part) => !['', '.', '..'].includes(part)),
    'expected a path inside the folder',
  ),
);

/** Whether it is a path below the folder of what was sent. */
export function isSentPath(path: string): boolean {
  return v.is(relativePath, path) && !path.startsWith('.');
}

/** Paths of what was sent, by parameter. */
export const sentSchema = v.record(
  v.string(),
  v.pipe(v.string(), v.check(isSentPath, 'expected a path of what was sent')),
);

export const manifestSchema = v.object({
  files: v.array(v.object({ path: relativePath, bytes: count, sha256 })),
  /** Whether each file gets content of its own; else it must not be written to. */
  writable: v.optional(v.boolean()),
});
export type Manifest = v.InferOutput<typeof manifestSchema>;

/** What the container has of a folder: the digest of the manifest that was placed last. */
export const sentStateSchema = v.object({ digest: v.nullable(v.string()) });

/** Content that the container lacks, and how much of each it has. */
export const missingSchema = v.object({ missing: v.array(v.object({ sha256, have: count })) });

/** A file of a run. */
export const fileFactsSchema = v.object({ bytes: count, sha256, mtimeMs: v.number() });
export type FileFacts = v.InferOutput<typeof fileFactsSchema>;

export const refusalSchema = v.object({ message: v.string() });

/** A value of a parameter that means a path on the container's machine, not on the user's. */
export const REMOTE_PREFIX = 'remote:';
/** The same for something that was sent: a path below the folder of what was sent. */
export const SENT_PREFIX = 'sent:';
