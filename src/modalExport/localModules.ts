import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { ModalExportError } from './exportError';
import type { Import } from './pythonSource';
import { PythonSource } from './pythonSource';
import { STANDARD_LIBRARY } from './standardLibrary';

/** What an entry file needs, found by reading its imports. */
export interface LocalModules {
  entry: PythonSource;
  /** The name by which Python imports the entry file. */
  moduleName: string;
  /** Folders of the search path, relative to the folder, `/` between; '' is the folder itself. */
  searchPath: string[];
  /** Files, relative to the folder, `/` between; the entry file first. */
  files: string[];
  /** First names of modules that are neither the folder's nor the standard library's. */
  packages: string[];
  /** Those that the code can do without. */
  optionalPackages: string[];
}

/**
 * Follows the imports of `entry`, relative to `folder`, through the folder's own files.
 * @throws ModalExportError if the file is not there, not in the folder, or not Python
 */
export function findLocalModules(folder: string, entry: string): LocalModules {
  const root = realpathSync(folder);
  const entryPath = resolve(root, entry);
  if (!entry.endsWith('.py') || !isFile(entryPath)) {
    throw new ModalExportError(`There is no Python file ${JSON.stringify(entry)} in ${root}.`);
  }
  if (!isInside(root, entryPath)) {
    throw new ModalExportError(`${JSON.stringify(entry)} is not in ${root}: open the folder that holds it.`);
  }
  const packageRoot = outsidePackage(root, dirname(entryPath));
  const search = [...new Set([packageRoot, root])];
  const files = new Set<string>();
  const packages = new Set<string>();
  const optional = new Set<string>();
  const sources = new Map<string, PythonSource>();
  const waiting = [entryPath];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (files.has(path)) {
      continue;
    }
    files.add(path);
    const source = new PythonSource(slashes(relative(root, path)), readFileSync(path, 'utf8'));
    source.check();
    sources.set(path, source);
    for (const statement of source.imports()) {
      const found = resolveImport(statement, path, search);
      waiting.push(...found.filter((file) => isInside(root, file)));
      const [top] = statement.module;
      if (found.length === 0 && statement.level === 0 && top !== undefined && !STANDARD_LIBRARY.has(top)) {
        (statement.isOptional ? optional : packages).add(top);
      }
    }
  }
  const inFolder = (path: string): string => slashes(relative(root, path));
  const entrySource = sources.get(entryPath);
  if (entrySource === undefined) {
    throw new ModalExportError(`${JSON.stringify(entry)} could not be read.`);
  }
  return {
    entry: entrySource,
    moduleName: moduleNameOf(packageRoot, entryPath),
    searchPath: search.map(inFolder),
    files: [...files].map(inFolder),
    packages: [...packages].sort(),
    optionalPackages: [...optional].filter((name) => !packages.has(name)).sort(),
  };
}

/** The files that an import loads: those of the packages on the way, and the module's. Empty if it is not ours. */
function resolveImport({ level, module, names }: Import, from: string, search: readonly string[]): string[] {
  const bases = level === 0 ? search : [upwards(dirname(from), level - 1)];
  for (const base of bases) {
    const onTheWay = walk(base, module);
    if (onTheWay !== undefined) {
      const place = join(base, ...module);
      const files = [...onTheWay, ...names.flatMap((name) => walk(place, [name]) ?? [])];
      // A folder without Python in it is no module: `import data` beside a folder of images means a package.
      if (files.length > 0) {
        return files;
      }
    }
  }
  return [];
}

/** Undefined if there is no such module in `base`. */
function walk(base: string, module: readonly string[]): string[] | undefined {
  const files: string[] = [];
  let place = base;
  for (const name of module) {
    place = join(place, name);
    const init = join(place, '__init__.py');
    if (isFile(init)) {
      files.push(init);
    } else if (isFile(`${place}.py`)) {
      return [...files, `${place}.py`];
    } else if (!isFolder(place)) {
      return undefined;
    }
  }
  return files;
}

/** The first folder above that is no package: what has to be on the search path. */
function outsidePackage(root: string, dir: string): string {
  let folder = dir;
  while (folder !== root && isFile(join(folder, '__init__.py'))) {
    folder = dirname(folder);
  }
  return folder;
}

function moduleNameOf(packageRoot: string, path: string): string {
  return slashes(relative(packageRoot, path))
    .replace(/\.py$/, '')
    .replace(/\/__init__$/, '')
    .replaceAll('/', '.');
}

function upwards(dir: string, levels: number): string {
  return resolve(dir, ...Array.from({ length: levels }, () => '..'));
}

function isInside(root: string, path: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function slashes(path: string): string {
  return path.split(sep).join('/');
}
