import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import type { EngineBackend, Tf } from './engine';
import { portableOps } from './portableOps';

const packageName = '@tensorflow/tfjs-node-gpu';
const installHint = 'run "Tiny Cats: Install CUDA Engine" or `tiny-cats install-engine`';

/** Helpers that Node 23 removed from `util` and tfjs-node still calls. */
const removedFromUtil = {
  isNullOrUndefined: (value: unknown): boolean => value === null || value === undefined,
  isArray: (value: unknown): boolean => Array.isArray(value),
};

function restoreUtil(): void {
  for (const [name, value] of Object.entries(removedFromUtil)) {
    if (!(name in util)) Object.defineProperty(util, name, { value, configurable: true, writable: true });
  }
}

function versionOf(packageDir: string): string | undefined {
  const manifest: unknown = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8'));
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) return undefined;
  return typeof manifest.version === 'string' ? manifest.version : undefined;
}

/** What is used of tfjs-node's backend. */
const listsGpu = (backend: object): boolean =>
  'isUsingGpuDevice' in backend && backend.isUsingGpuDevice === true;

/**
 * Loads the tfjs-node-gpu that was installed under `enginesDir` and makes it the current backend. It brings its own
 * copy of tfjs-core; both keep engine and registries on globalThis, so that its backend serves our copy too.
 * @throws Error that says why it cannot be used and what to do about it.
 */
export async function loadTensorflow(tf: Tf, enginesDir: string): Promise<EngineBackend> {
  const home = join(enginesDir, 'tensorflow');
  const packageDir = join(home, 'node_modules', packageName);
  if (!existsSync(join(packageDir, 'package.json'))) {
    throw new Error(`tfjs-node-gpu is not installed; ${installHint}`);
  }
  const version = versionOf(packageDir);
  if (version !== tf.version_core) {
    throw new Error(
      `tfjs-node-gpu ${version ?? 'of unknown version'} is installed, ${tf.version_core} is needed; ${installHint}`,
    );
  }
  restoreUtil();
  try {
    createRequire(join(home, 'package.json'))(packageDir);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(`tfjs-node-gpu does not load (${reason}); ${installHint}`, { cause: error });
  }
  if (!tf.engine().backendNames().includes('tensorflow')) {
    throw new Error(`tfjs-node-gpu did not register its backend "tensorflow"; ${installHint}`);
  }
  const ready = await tf.setBackend('tensorflow');
  if (!ready || !listsGpu(tf.backend())) {
    tf.removeBackend('tensorflow');
    throw new Error(
      'tfjs-node-gpu lists no GPU; it needs an NVIDIA GPU, its driver from 450 on, CUDA 11.2 and cuDNN 8.1',
    );
  }
  return { device: 'NVIDIA GPU, TensorFlow', ops: portableOps(tf) };
}
