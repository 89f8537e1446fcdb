import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';
import * as v from 'valibot';
import type { SourceFile } from '../../protocol/run';
import { UserSyntaxError, toCommonJs } from './transform';

const EXTENSIONS = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx', '.json'];

interface UserModule {
  file: string;
  sha256: string;
  exports: unknown;
  /** The user's own modules that it imports. */
  readonly imports: Set<string>;
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
      for (const { file, imports } of this.modules.values()) {
        if (!stale.has(file) && [...imports].some((each) => stale.has(each))) {
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
      path !== '' && !path.startsWith('..') && !isAbsolute(path) && !path.split(sep).includes('node_modules')
    );
  }

  private evaluate(file: string): UserModule {
    const known = this.modules.get(file);
    if (known !== undefined) {
      return known;
    }
    const source = readFileSync(file, 'utf8');
    const sha256 = createHash('sha256').update(source).digest('hex');
    const made: UserModule = { file, sha256, exports: {}, imports: new Set() };
    this.modules.set(file, made);
    if (extname(file) === '.json') {
      made.exports = JSON.parse(source);
      return made;
    }
    const module = { exports: made.exports };
    const run = v.parse(moduleFunction, this.compile(source, file));
    run(module.exports, (name: string) => this.require(name, made), module, file, dirname(file));
    made.exports = module.exports;
    return made;
  }

  private compile(source: string, file: string): unknown {
    const code = toCommonJs(source, file);
    try {
      return compileFunction(code, ['exports', 'require', 'module', '__filename', '__dirname'], {
        filename: file,
      });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const [, line = '1'] = /:(\d+)\n/.exec(error instanceof Error ? (error.stack ?? '') : '') ?? [];
      throw new UserSyntaxError(message, file, Number(line));
    }
  }

  private require(name: string, from: UserModule): unknown {
    if (this.own.has(name)) {
      return this.own.get(name);
    }
    const file = /^\.{0,2}[/\\]|^\.{1,2}$/.test(name)
      ? this.find(resolve(dirname(from.file), name))
      : undefined;
    if (file !== undefined && this.isOwn(file)) {
      from.imports.add(file);
      return this.evaluate(file).exports;
    }
    return this.requirePackage(file ?? name, from.file);
  }

  private requirePackage(name: string, from: string): unknown {
    const load = createRequire(from);
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
    try {
      return load(name);
    } catch (error) {
      const isModule = error instanceof Error && 'code' in error && error.code === 'ERR_REQUIRE_ESM';
      if (!isModule) {
        throw error;
      }
      return this.later(path, () => import(pathToFileURL(path).href));
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

function hashOf(file: string): string | undefined {
  try {
    return createHash('sha256').update(readFileSync(file, 'utf8')).digest('hex');
  } catch {
    return undefined;
  }
}
