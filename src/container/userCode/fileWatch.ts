import type { Stats } from 'node:fs';
import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import type { ParameterValues } from '../../protocol/parameters';

// The rules are those of python/tinycats/_container/checkpoint_watch.py.
const MODEL_FILE = /\.(?:pt|pth|bin|safetensors|ckpt|onnx|h5|keras|npz)$/i;
const OUTPUT_NAME = /out|save|ckpt|checkpoint|model|log|work|result|exp/i;
const PASSED_OVER: ReadonlySet<string> = new Set(['.git', 'node_modules', '__pycache__', '.venv']);
const RUN_RECORD = 'run.json';
const DEEPEST = 6;
const MOST_ENTRIES = 20_000;
/** A file outside of the run's folder that keeps changing is copied no more often than this, and at the end. */
const COPY_MS = 10_000;
/** The clock that stamps files may be a tick behind ours. */
const TICK_MS = 20;

export interface WatchedFile {
  /** Path inside the run's folder, with `/`. */
  readonly file: string;
  readonly bytes: number;
  /** When it was written, milliseconds since the epoch. */
  readonly writtenAt: number;
}

export interface FileWatchOptions {
  readonly runDir: string;
  readonly outputsDir: string;
  /** The workspace folder, which relative paths are of. */
  readonly folder: string;
  readonly tell: (file: WatchedFile) => void;
}

/** Finds the files that a run has written which look like checkpoints, and makes those its own that lie elsewhere. */
export class FileWatch {
  private readonly roots: string[];
  private readonly since = Date.now() - TICK_MS;
  private readonly seen = new Map<string, string>();
  private readonly told = new Map<string, string>();
  private readonly copiedAt = new Map<string, number>();
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly options: FileWatchOptions) {
    this.roots = [options.runDir, options.outputsDir];
  }

  /** Looks where these parameters tell the code to write, too. */
  follow(params: ParameterValues): void {
    this.roots.push(...outputPaths(this.options.folder, params));
  }

  /** Looks for new files. One that still changes is told of by a later scan; the final one tells of all. */
  scan(isFinal: boolean): Promise<void> {
    const scan = this.last.then(() => this.scanNow(isFinal));
    this.last = scan.catch(() => undefined);
    return scan;
  }

  /** A file that the code says is complete, and may write over once this returns. @throws Error if there is none */
  report(path: string): WatchedFile {
    const source = resolve(path);
    const facts = statSync(source);
    const { file, target } = this.placeOf(source);
    if (target !== source) {
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(source, target);
    }
    return this.taken(source, facts, file);
  }

  private async scanNow(isFinal: boolean): Promise<void> {
    const found = new Map<string, Stats>();
    for (const root of this.roots) {
      await collect(root, this.options.runDir, found);
    }
    const copies = join(this.options.runDir, 'files') + sep;
    for (const [path, facts] of found) {
      const mark = markOf(facts);
      const isNew = Math.max(facts.mtimeMs, facts.ctimeMs) >= this.since && this.told.get(path) !== mark;
      if (facts.size > 0 && isNew && !path.startsWith(copies)) {
        const isStable = this.seen.get(path) === mark;
        this.seen.set(path, mark);
        if (isFinal || isStable) {
          await this.take(path, facts, isFinal);
        }
      }
    }
  }

  private async take(path: string, facts: Stats, isFinal: boolean): Promise<void> {
    const { file, target } = this.placeOf(path);
    if (target !== path) {
      if (!isFinal && performance.now() - (this.copiedAt.get(path) ?? -Infinity) < COPY_MS) {
        return;
      }
      this.copiedAt.set(path, performance.now());
      await mkdir(dirname(target), { recursive: true });
      await copyFile(path, `${target}.part`);
      await rename(`${target}.part`, target);
    }
    this.options.tell(this.taken(path, facts, file));
  }

  /** Where the run has the file: outside of its folder a copy, since a link would change with the next run's file of that name. */
  private placeOf(path: string): { file: string; target: string } {
    const { runDir, folder } = this.options;
    const file = insideOf(runDir, path) ?? join('files', insideOf(folder, path) ?? basename(path));
    return { file, target: join(runDir, file) };
  }

  private taken(path: string, facts: Stats, file: string): WatchedFile {
    this.told.set(path, markOf(facts));
    return { file: file.split(sep).join('/'), bytes: facts.size, writtenAt: facts.mtimeMs };
  }
}

const markOf = ({ size, mtimeMs }: Stats): string => `${size} ${mtimeMs}`;

function insideOf(folder: string, path: string): string | undefined {
  const within = relative(folder, path);
  const isInside = within !== '' && within !== '..' && !within.startsWith(`..${sep}`) && !isAbsolute(within);
  return isInside ? within : undefined;
}

/** Paths in the parameters where the code is told to write. */
function outputPaths(folder: string, params: ParameterValues): string[] {
  return Object.entries(params).flatMap(([name, value]) => {
    if (typeof value !== 'string' || value.trim() === '' || /data/i.test(name)) {
      return [];
    }
    const path = resolve(folder, value);
    const isMeant = OUTPUT_NAME.test(name) || MODEL_FILE.test(value);
    return isMeant && ![folder, parse(path).root, homedir()].includes(path) ? [path] : [];
  });
}

/** Adds the files that look like checkpoints below a folder, or that one file; not those of other runs. */
async function collect(root: string, runDir: string, found: Map<string, Stats>): Promise<void> {
  const add = async (path: string): Promise<void> => {
    const facts = await stat(path).catch(() => undefined);
    if (facts?.isFile() === true) {
      found.set(path, facts);
    }
  };
  if (MODEL_FILE.test(root)) {
    await add(root);
  }
  const waiting = [{ folder: root, depth: 0 }];
  let entries = 0;
  for (let next = waiting.pop(); next !== undefined && entries < MOST_ENTRIES; next = waiting.pop()) {
    const { folder, depth } = next;
    const listed = await readdir(folder, { withFileTypes: true }).catch(() => []);
    entries += listed.length;
    if (folder !== runDir && listed.some(({ name }) => name === RUN_RECORD)) {
      continue;
    }
    for (const entry of listed) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (depth < DEEPEST && !PASSED_OVER.has(entry.name)) {
          waiting.push({ folder: path, depth: depth + 1 });
        }
      } else if (MODEL_FILE.test(entry.name)) {
        await add(path);
      }
    }
  }
}
