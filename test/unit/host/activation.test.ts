import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import { build } from 'esbuild';
import { nodeBundle } from '../../../scripts/node-bundles.mjs';

const MAX_BUNDLE_BYTES = 400_000;
const IO_MODULES = /^(node:)?(fs|fs\/promises|child_process|net|http|https|tls|dgram|dns|worker_threads)$/;
const realRequire = createRequire(`${process.cwd()}/src/extension.ts`);

/** Everything of VS Code, doing nothing: any property is a function, and so is what it returns. */
function anything(values: Record<string, unknown> = {}): unknown {
  const target = function nothing(): void {
    // Stands for any function.
  };
  return new Proxy(target, {
    get: (_, key) =>
      typeof key === 'string' && key in values ? values[key] : key === 'then' ? undefined : anything(),
    apply: () => anything(),
    set: () => true,
    construct: () => Object(anything()) as object,
  });
}

/** A module whose every call is written down. */
function recording(name: string, real: object, calls: string[], inner = false): object {
  return new Proxy(real, {
    get: (target, key, receiver): unknown => {
      const value: unknown = Reflect.get(target, key, receiver);
      if (key === 'promises' && !inner && typeof value === 'object' && value !== null) {
        return recording(`${name}.promises`, value, calls, true);
      }
      if (typeof value !== 'function' || /^[A-Z]/.test(String(key))) {
        return value;
      }
      return (...args: unknown[]): unknown => {
        calls.push(`${name}.${String(key)}`);
        return Reflect.apply(value, target, args);
      };
    },
  });
}

interface Loaded {
  activate: (context: unknown) => unknown;
}

function isLoaded(value: unknown): value is Loaded {
  return (
    typeof value === 'object' && value !== null && 'activate' in value && typeof value.activate === 'function'
  );
}

describe('the extension bundle', () => {
  let bundle: Uint8Array;
  before(async () => {
    const { outputFiles } = await build({
      ...nodeBundle('extension', { production: true }),
      write: false,
    });
    bundle = outputFiles[0]?.contents ?? new Uint8Array();
  });

  it('is small', () => {
    assert.ok(bundle.length > 1000);
    assert.ok(bundle.length < MAX_BUNDLE_BYTES, `${bundle.length} bytes`);
  });

  it('reads no file, starts no process and opens no socket when it is loaded and activated', async () => {
    const calls: string[] = [];
    activate(bundle, calls).dispose();
    await turns();
    assert.deepEqual(calls, []);
  });

  it('only looks for a container and for sweeps of before the reload after that', async () => {
    const calls: string[] = [];
    const extension = activate(bundle, calls);
    while (calls.length === 0) {
      await turns();
    }
    await turns();
    extension.dispose();
    assert.deepEqual(calls.sort(), ['node:fs/promises.readdir', 'node:fs/promises.realpath']);
  });
});

/** Lets everything run that was put off until later. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function activate(bundle: Uint8Array, calls: string[]): { dispose: () => void } {
  const disposables: { dispose: () => void }[] = [];
  const extension = load(bundle, calls, {
    workspaceFolders: [{ uri: { scheme: 'file', fsPath: '/somewhere' } }],
    isTrusted: true,
    getConfiguration: () => ({ get: () => undefined }),
  });
  extension.activate({
    subscriptions: disposables,
    extensionPath: '/extension',
    extensionUri: anything(),
    workspaceState: { get: () => undefined, update: () => Promise.resolve() },
  });
  return { dispose: () => disposables.forEach((disposable) => disposable.dispose()) };
}

function load(bundle: Uint8Array, calls: string[], workspace: Record<string, unknown>): Loaded {
  const module = { exports: {} };
  const require = (id: string): unknown => {
    if (id === 'vscode') {
      const names = [
        'window',
        'commands',
        'Uri',
        'EventEmitter',
        'MarkdownString',
        'StatusBarAlignment',
        'ThemeColor',
      ];
      return {
        ...Object.fromEntries(names.map((name) => [name, anything()])),
        workspace: anything(workspace),
      };
    }
    const real: unknown = realRequire(id);
    return IO_MODULES.test(id) && typeof real === 'object' && real !== null
      ? recording(id, real, calls)
      : real;
  };
  const wrapper: unknown = vm.runInThisContext(
    `(function (module, exports, require) {${Buffer.from(bundle).toString('utf8')}\n})`,
  );
  assert.ok(typeof wrapper === 'function');
  Reflect.apply(wrapper, undefined, [module, module.exports, require]);
  assert.ok(isLoaded(module.exports));
  return module.exports;
}
