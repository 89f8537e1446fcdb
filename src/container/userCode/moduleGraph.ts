import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';
import * as v from 'valibot';
import type { SourceFile } from '../../protocol/run';
import { importModule } from '../importModule';
import type { UsedModule } from './enterSource';
import { sourceOf } from './enterSource';
import { IMPORT_LATER, IMPORT_META, UserSyntaxError, toCommonJs } from './transform';
import { pathsOf } from './tsconfigPaths';

const EXTENSIONS = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx', '.json'];

/** Of the function that a module becomes. */
const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname', IMPORT_META, IMPORT_LATER];

interface UserModule extends UsedModule {
  readonly file: string;
  code: string;
  exports: unknown;
  readonly required: Map<string, string>;
}

const moduleFunction = v.function();

/** A module that can only be had asynchronously; asked for again once `get` has resolved. */
class Pending extends Error {
  constructor(readonly get: () => Promise<void>) {
    super('a module is not there yet');
  }
}

/**
 * The user's own modules of a folder, transpiled one by one, and run in this process. Packages come from the folder's
 * node_modules and stay; a module that has changed is run again, and so are those that import it.
 */
export class ModuleGraph {
  private readonly folder: string;
  private readonly modules = new Map<string, UserModule>();
  /** What `import` had to fetch, by path. */
  private readonly fetched = new Map<string, unknown>();

  /**
   * @param own modules that the program brings along, by name
   * @param late those of them that have to be made first, where the folder has none of that name
   */
  constructor(
    folder: string,
    private readonly own: ReadonlyMap<string, unknown>,
    private readonly late: ReadonlyMap<string, () => Promise<unknown>>,
  ) {
    this.folder = realpathSync(folder);
  }

  /** Forgets what has changed and what imports it. @returns whether there was anything */
  refresh(): boolean {
    const stale = new Set(
      [...this.modules.values()].filter((each) => hashOf(each.file) !== each.sha256).map(({ file }) => file),
    );
    for (let grown = true; grown;) {
      grown = false;
      for (const { file, required } of this.modules.values()) {
        if (!stale.has(file) && [...required.values()].some((each) => stale.has(each))) {
          stale.add(file);
          grown = true;
        }
      }
    }
    stale.forEach((file) => this.modules.delete(file));
    return stale.size > 0;
  }

  /** Runs the module, and what it imports, unless that has been done. @throws whatever the code throws */
  async load(path: string): Promise<unknown> {
    const file = join(this.folder, path);
    for (;;) {
      const before = new Set(this.modules.keys());
      try {
        return this.evaluate(file).exports;
      } catch (error) {
        for (const each of this.modules.keys()) {
          if (!before.has(each)) {
            this.modules.delete(each);
          }
        }
        if (!(error instanceof Pending)) {
          throw error;
        }
        await error.get();
      }
    }
  }

  /** What a function of the module at `path` is made of, as {@link sourceOf} has it. */
  sourceOf(source: string, path: string): string {
    return sourceOf(source, join(this.folder, path), (file) => this.modules.get(file));
  }

  /** The user's own files that have been run. */
  get files(): SourceFile[] {
    return [...this.modules.values()]
      .map(({ file, sha256 }) => ({ path: relative(this.folder, file).split(sep).join('/'), sha256 }))
      .sort((one, other) => (one.path < other.path ? -1 : 1));
  }

  /** Whether it is one of the user's own files. */
  isOwn(file: string): boolean {
    const path = relative(this.folder, file);
    return (
      isAbsolute(file) &&
      path !== '' &&
      !path.startsWith('..') &&
      !isAbsolute(path) &&
      !path.split(sep).includes('node_modules')
    );
  }

  private evaluate(file: string): UserModule {
    const known = this.modules.get(file);
    if (known !== undefined) {
      return known;
    }
    const source = readFileSync(file, 'utf8');
    const sha256 = createHash('sha256').update(source).digest('hex');
    const made: UserModule = { file, sha256, code: '', exports: {}, required: new Map() };
    this.modules.set(file, made);
    if (extname(file) === '.json') {
      made.exports = JSON.parse(source);
      return made;
    }
    const module = { exports: made.exports };
    const meta = { url: pathToFileURL(file).href, filename: file, dirname: dirname(file) };
    const require = (name: string): unknown => this.require(name, made);
    const importLater = (name: string): Promise<unknown> => this.importLater(name, made);
    try {
      made.code = toCommonJs(source, file);
      const run = v.parse(moduleFunction, this.compile(made.code, file));
      run(module.exports, require, module, file, dirname(file), meta, importLater);
    } catch (error) {
      // Whoever asks for it next has it run again, rather than the half that there is.
      this.modules.delete(file);
      throw error;
    }
    made.exports = module.exports;
    return made;
  }

  private compile(code: string, file: string): unknown {
    try {
      return compileFunction(code, PARAMETERS, { filename: file });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const [, line = '1'] = /:(\d+)\n/.exec(error instanceof Error ? (error.stack ?? '') : '') ?? [];
      throw new UserSyntaxError(message, file, Number(line));
    }
  }

  /** What the user's `import()` comes to. */
  private async importLater(name: string, from: UserModule): Promise<unknown> {
    for (;;) {
      try {
        const exports = this.require(name, from);
        return isInterop(exports) ? exports : { ...Object(exports), default: exports };
      } catch (error) {
        if (!(error instanceof Pending)) {
          throw error;
        }
        await error.get();
      }
    }
  }

  private require(name: string, from: UserModule): unknown {
    if (this.own.has(name)) {
      return this.own.get(name);
    }
    const isPath = /^\.{0,2}[/\\]|^\.{1,2}$/.test(name);
    const places = isPath ? [resolve(dirname(from.file), name)] : pathsOf(this.folder, name);
    const file = places.map((place) => this.find(place)).find((found) => found !== undefined);
    return file !== undefined && this.isOwn(file)
      ? this.requireOwn(name, file, from)
      : this.requirePackage(file ?? name, from);
  }

  private requireOwn(name: string, file: string, from: UserModule): unknown {
    from.required.set(name, file);
    return this.evaluate(file).exports;
  }

  private requirePackage(name: string, from: UserModule): unknown {
    const load = createRequire(from.file);
    let path: string;
    try {
      path = load.resolve(name);
    } catch (error) {
      const make = this.late.get(name);
      if (make === undefined) {
        throw error;
      }
      return this.later(name, make);
    }
    if (this.fetched.has(path)) {
      return this.fetched.get(path);
    }
    if (isAbsolute(path) && this.isOwn(path)) {
      // By the names that package.json gives to its own files.
      return this.requireOwn(name, path, from);
    }
    try {
      return load(name);
    } catch (error) {
      const isModule = error instanceof Error && 'code' in error && error.code === 'ERR_REQUIRE_ESM';
      if (!isModule) {
        throw error;
      }
      return this.later(path, async () => asInterop(await importModule(pathToFileURL(path).href)));
    }
  }

  private later(key: string, make: () => Promise<unknown>): unknown {
    if (this.fetched.has(key)) {
      return this.fetched.get(key);
    }
    throw new Pending(async () => {
      this.fetched.set(key, await make());
    });
  }

  /** As TypeScript resolves a path: with an extension, with another one in place of `.js`, or as a folder's index. */
  private find(path: string): string | undefined {
    const bare = path.replace(/\.([mc]?)js(x?)$/, '');
    const candidates = [
      path,
      ...(bare === path ? [] : EXTENSIONS.map((extension) => bare + extension)),
      ...EXTENSIONS.map((extension) => path + extension),
      ...EXTENSIONS.map((extension) => join(path, `index${extension}`)),
    ];
    return candidates.find((each) => statSync(each, { throwIfNoEntry: false })?.isFile() === true);
  }
}

/** A module whose default export is called so, as the transpiled code wants it; bindings stay live. */
function asInterop(namespace: unknown): unknown {
  const made: unknown = Object.create(typeof namespace === 'object' ? namespace : null, {
    __esModule: { value: true },
  });
  return made;
}

function isInterop(exports: unknown): boolean {
  return typeof exports === 'object' && exports !== null && '__esModule' in exports;
}

function hashOf(file: string): string | undefined {
  try {
    return createHash('sha256').update(readFileSync(file, 'utf8')).digest('hex');
  } catch {
    return undefined;
  }
}
