import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EngineBackend, Tf } from './engine';
import { importModule } from '../importModule';
import { installHint, installedVersion } from './installed';
import { portableOps } from './portableOps';

const dawnPackage = 'webgpu';
const backendPackage = '@tensorflow/tfjs-backend-webgpu';

/** What is used of an adapter. */
interface Adapter {
  readonly info: Readonly<Record<string, unknown>>;
  readonly isFallbackAdapter?: unknown;
}

interface Gpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<unknown>;
}

interface Dawn {
  create(flags: string[]): unknown;
  readonly globals: object;
}

/** Rasterizers that run on the processor: slower there than wasm. */
const softwareAdapters = /llvmpipe|lavapipe|softpipe|swiftshader|software|basic render|\bwarp\b/i;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isDawn = (value: unknown): value is Dawn =>
  isObject(value) &&
  'create' in value &&
  typeof value.create === 'function' &&
  'globals' in value &&
  isObject(value.globals);

const isGpu = (value: unknown): value is Gpu =>
  isObject(value) && 'requestAdapter' in value && typeof value.requestAdapter === 'function';

const isAdapter = (value: unknown): value is Adapter =>
  isObject(value) && 'info' in value && isObject(value.info);

/** How an adapter calls itself. */
function describe({ info }: Adapter): string {
  const parts = ['vendor', 'architecture', 'device', 'description'].map((field) => info[field]);
  const named = parts.filter((part): part is string => typeof part === 'string' && part !== '');
  return [...new Set(named)].join(' ') || 'unnamed adapter';
}

/** @throws Error where the package does not load or has no hardware adapter */
async function hardwareAdapter(home: string): Promise<{ gpu: Gpu; name: string; globals: object }> {
  const entry = join(home, 'node_modules', dawnPackage, 'index.js');
  const dawn = await importModule(pathToFileURL(entry).href).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(`webgpu does not load (${reason ?? ''}); ${installHint('webgpu')}`, { cause: error });
  });
  if (!isDawn(dawn)) throw new Error(`webgpu is not Dawn's package; ${installHint('webgpu')}`);
  const gpu = dawn.create([]);
  const adapter = isGpu(gpu) ? await gpu.requestAdapter({ powerPreference: 'high-performance' }) : null;
  if (!isGpu(gpu) || !isAdapter(adapter)) {
    throw new Error(
      'webgpu finds no GPU; it needs one with a driver for Vulkan (on Linux also libvulkan1), Metal or Direct3D 12',
    );
  }
  const name = describe(adapter);
  if (
    adapter.isFallbackAdapter === true ||
    adapter.info.isFallbackAdapter === true ||
    softwareAdapters.test(name)
  ) {
    throw new Error(`webgpu finds only "${name}", which computes on the processor, slower than wasm`);
  }
  return { gpu, name, globals: dawn.globals };
}

/** tfjs-backend-webgpu looks for `navigator.gpu`, and for a sign that this is a browser or one of its workers. */
function pretendBrowser(gpu: Gpu, globals: object): void {
  Object.assign(globalThis, globals);
  if (!('navigator' in globalThis)) {
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  }
  const navigator: unknown = Reflect.get(globalThis, 'navigator');
  if (isObject(navigator)) Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  if (!('WorkerGlobalScope' in globalThis)) {
    Object.defineProperty(globalThis, 'WorkerGlobalScope', { value: Object, configurable: true });
  }
}

/**
 * Loads the webgpu engine that was installed under `enginesDir`, tfjs's on Dawn, and makes it the current backend. Its
 * copy of tfjs-core keeps engine and registries on globalThis, so that its backend serves our copy too.
 * @throws Error that says why it cannot be used and what to do about it.
 */
export async function loadWebgpu(tf: Tf, enginesDir: string): Promise<EngineBackend> {
  const home = join(enginesDir, 'webgpu');
  const dawnVersion = installedVersion(home, dawnPackage);
  const version = installedVersion(home, backendPackage);
  if (dawnVersion === undefined || version === undefined) {
    throw new Error(`webgpu is not installed; ${installHint('webgpu')}`);
  }
  if (version !== tf.version_core) {
    throw new Error(
      `tfjs-backend-webgpu ${version} is installed, ${tf.version_core} is needed; ${installHint('webgpu')}`,
    );
  }
  const { gpu, name, globals } = await hardwareAdapter(home);
  pretendBrowser(gpu, globals);
  createRequire(join(home, 'package.json'))(backendPackage);
  if (!tf.engine().backendNames().includes('webgpu')) {
    throw new Error(`tfjs-backend-webgpu did not register its backend "webgpu"; ${installHint('webgpu')}`);
  }
  if (!(await tf.setBackend('webgpu'))) {
    tf.removeBackend('webgpu');
    throw new Error(`tfjs-backend-webgpu does not start on "${name}"; update the GPU's driver`);
  }
  return { device: `${name}, WebGPU (Dawn ${dawnVersion})`, ops: portableOps(tf) };
}
