import { readFile, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Ignore } from 'ignore';
import ignore from 'ignore';
import { inParallel } from './inParallel';

/** Files that say what is not to be sent; what a later one says counts more. */
const IGNORE_FILES = ['.gitignore', '.tinycatsignore'];
/** Never sent, whatever the ignore files say. */
const NEVER = new Set([
  '.git',
  '.hg',
  '.svn',
  '.DS_Store',
  '__pycache__',
  'node_modules',
  '.venv',
  '.tiny-cats',
]);

export interface ScannedFile {
  /** Relative to the folder, with `/`. */
  path: string;
  absolute: string;
  bytes: number;
  /** Changes whenever the file does. */
  stamp: string;
}

/** A folder cannot be sent; `message` says why and what to do. */
export class ScanError extends Error {
  override readonly name = 'ScanError';
}

interface Rule {
  /** The folder whose ignore files these are, relative, empty or with a `/` at its end. */
  base: string;
  rules: Ignore;
}

/**
 * The files to send of a folder, or the one file that `path` is. Links are followed.
 * @throws ScanError if there is nothing there or nothing to send
 */
export async function scan(path: string): Promise<ScannedFile[]> {
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) {
    throw new ScanError(
      `There is no "${path}" on this machine. For a place on the container's machine write remote: before its path.`,
    );
  }
  if (facts.isFile()) {
    return [await fileFacts(dirname(path), basename(path))];
  }
  const found: string[] = [];
  await walk(path, '', [], new Set([await realpath(path)]), found);
  if (found.length === 0) {
    throw new ScanError(
      `"${path}" holds no file to send: it is empty, or ${IGNORE_FILES.join(' or ')} in it leaves all out.`,
    );
  }
  const files: ScannedFile[] = [];
  await inParallel(found, async (file) => {
    files.push(await fileFacts(path, file));
  });
  return files;
}

async function walk(
  root: string,
  folder: string,
  above: readonly Rule[],
  ancestors: ReadonlySet<string>,
  found: string[],
): Promise<void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const rules = [
    ...above,
    ...(await rulesOf(
      root,
      folder,
      entries.map(({ name }) => name),
    )),
  ];
  for (const entry of entries) {
    const path = `${folder}${entry.name}`;
    if (NEVER.has(entry.name)) {
      continue;
    }
    const kind = entry.isSymbolicLink() ? await stat(join(root, path)).catch(() => undefined) : entry;
    if (kind?.isFile() === true && !isIgnored(path, rules)) {
      found.push(path);
    } else if (kind?.isDirectory() === true && !isIgnored(`${path}/`, rules)) {
      const real = entry.isSymbolicLink() ? await realpath(join(root, path)) : join(root, path);
      if (!ancestors.has(real)) {
        await walk(root, `${path}/`, rules, new Set([...ancestors, real]), found);
      }
    }
  }
}

async function rulesOf(root: string, base: string, names: readonly string[]): Promise<Rule[]> {
  const present = IGNORE_FILES.filter((name) => names.includes(name));
  if (present.length === 0) {
    return [];
  }
  const rules = ignore();
  for (const name of present) {
    rules.add(await readFile(join(root, base, name), 'utf8'));
  }
  return [{ base, rules }];
}

/** What the nearest folder's rules say counts. */
function isIgnored(path: string, rules: readonly Rule[]): boolean {
  let ignored = false;
  for (const { base, rules: here } of rules) {
    const verdict = here.test(path.slice(base.length));
    ignored = verdict.ignored || (ignored && !verdict.unignored);
  }
  return ignored;
}

async function fileFacts(root: string, path: string): Promise<ScannedFile> {
  const absolute = join(root, path);
  const { size, mtimeNs, ctimeNs, ino } = await stat(absolute, { bigint: true });
  return { path, absolute, bytes: Number(size), stamp: `${size}-${mtimeNs}-${ctimeNs}-${ino}` };
}
