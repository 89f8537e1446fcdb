/**
 * Stands in for a large bundle and runs it from V8's code cache, so that a start does not compile all of it again. The
 * build sets the names below. Without a cache that can be used the bundle is compiled, as it would be without this.
 */
import { lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as vm from 'node:vm';
import { threadId } from 'node:worker_threads';
import { stateHome } from '../targets/local/stateHome';

/** The bundle is code/<name>.js. */
declare const BUNDLE_NAME: string;
/** Of its content. V8 itself compares only its length. */
declare const BUNDLE_HASH: string;

/** By then a trainer has compiled what its first steps need. */
const STORE_AFTER_MS = 3000;

type Wrapped = (
  exports: object,
  require: NodeJS.Require,
  module: { exports: object },
  filename: string,
  dirname: string,
  importNatively: (specifier: string) => Promise<unknown>,
) => void;

function isWrapped(value: unknown): value is Wrapped {
  return typeof value === 'function';
}

const path = join(__dirname, 'code', `${BUNDLE_NAME}.js`);
const folder = join(stateHome(), 'code-cache');
const prefix = `${BUNDLE_NAME}-${process.version}-${process.arch}-`;
const cachePath = join(folder, `${prefix}${BUNDLE_HASH}.bin`);

/** What is in the cache is run: nobody else may have put it there. */
function isPrivate(target: string): boolean {
  if (process.getuid === undefined) return true;
  const { uid, mode } = lstatSync(target);
  return uid === process.getuid() && (mode & 0o022) === 0;
}

function readCache(): Buffer | undefined {
  try {
    return isPrivate(folder) && isPrivate(cachePath) ? readFileSync(cachePath) : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all; in place of those of other versions. A folder that cannot be written costs only the gain. */
function store(script: vm.Script): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const temporary = join(folder, `.${prefix}${process.pid}-${threadId}`);
    writeFileSync(temporary, script.createCachedData(), { mode: 0o600 });
    for (const name of readdirSync(folder)) {
      if (name.startsWith(prefix)) rmSync(join(folder, name), { force: true });
    }
    renameSync(temporary, cachePath);
  } catch {
    // The next start tries again.
  }
}

function run(): void {
  const cachedData = readCache();
  const script = new vm.Script(
    `(function (exports, require, module, __filename, __dirname, importNatively) {${readFileSync(path).toString()}\n})`,
    {
      filename: path,
      ...(cachedData === undefined ? {} : { cachedData }),
    },
  );
  if (cachedData === undefined || script.cachedDataRejected === true) {
    setTimeout(() => store(script), STORE_AFTER_MS).unref();
  }
  const wrapped: unknown = script.runInThisContext();
  if (isWrapped(wrapped)) {
    const module = { exports: {} };
    // As if it lay here, beside what it loads.
    // What comes from the cache has no loader for an import() of its own: `importModule.ts` takes this one.
    const importNatively = (specifier: string): Promise<unknown> => import(specifier);
    wrapped(module.exports, createRequire(__filename), module, __filename, __dirname, importNatively);
  }
}

run();
