import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import type { EngineBackend, Tf } from './engine';
import { installHint, installedVersion } from './installed';
import { portableOps } from './portableOps';

const packageName = '@tensorflow/tfjs-node-gpu';
const hint = installHint('tensorflow');

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
  const version = installedVersion(home, packageName);
  if (version === undefined) throw new Error(`tfjs-node-gpu is not installed; ${hint}`);
  if (version !== tf.version_core) {
    throw new Error(`tfjs-node-gpu ${version} is installed, ${tf.version_core} is needed; ${hint}`);
  }
  restoreUtil();
  try {
    createRequire(join(home, 'package.json'))(packageDir);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(`tfjs-node-gpu does not load (${reason}); ${hint}`, { cause: error });
  }
  if (!tf.engine().backendNames().includes('tensorflow')) {
    throw new Error(`tfjs-node-gpu did not register its backend "tensorflow"; ${hint}`);
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
