import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { loadEngine, type EngineOptions } from '../../../src/container/engines/engine';
import { prepareWasm, wasmDir } from './support';

/** A fake tfjs-node-gpu: it registers a backend on the engine that all copies of tfjs-core share, as the real one does. */
const fakePackage = (body: string) => `
  // Fake of tfjs-node-gpu for a test.
  const util = require('node:util');
  if (!util.isNullOrUndefined(null)) throw new Error('util.isNullOrUndefined is missing');
  ${body}
`;
const fakeBackend = (gpu: boolean) =>
  fakePackage(
    `globalThis._tfengine.registerBackend('tensorflow', () => ({ isUsingGpuDevice: ${gpu}, dispose() {} }), 3);`,
  );

describe('choosing an engine', () => {
  let enginesDir: string;
  let logged: string[];
  const options = (overrides: Partial<EngineOptions> = {}): EngineOptions => ({
    wasmDir,
    enginesDir,
    log: (text) => logged.push(text),
    ...overrides,
  });

  const installFake = async (source: string, version = tf.version_core) => {
    const dir = join(enginesDir, 'tensorflow', 'node_modules', '@tensorflow', 'tfjs-node-gpu');
    await mkdir(dir, { recursive: true });
    await writeFile(
      join(dir, 'package.json'),
      JSON.stringify({ name: '@tensorflow/tfjs-node-gpu', version }),
    );
    await writeFile(join(dir, 'index.js'), source);
  };

  before(async () => {
    await prepareWasm();
    await loadEngine('cpu', { wasmDir, enginesDir: wasmDir, log: () => undefined });
  });
  beforeEach(async () => {
    enginesDir = await mkdtemp(join(tmpdir(), 'tiny-cats-engines-ünï '));
    logged = [];
  });
  afterEach(async () => {
    await tf.setBackend('cpu');
    if (tf.engine().backendNames().includes('tensorflow')) tf.removeBackend('tensorflow');
    await rm(enginesDir, { recursive: true });
  });

  it('takes wasm where no CUDA engine is installed, and says why', async () => {
    const engine = await loadEngine('auto', options());
    assert.equal(engine.name, 'wasm');
    assert.match(engine.device, /wasm SIMD/);
    assert.equal(engine.tf.getBackend(), 'wasm');
    assert.equal(logged.length, 2);
    assert.match(logged[0] ?? '', /"tensorflow".*not installed/);
    assert.match(logged[1] ?? '', /"webgpu".*not installed.*install-engine webgpu/);
  });

  it('passes over a CUDA engine without a GPU', async () => {
    await installFake(fakeBackend(false));
    const engine = await loadEngine('auto', options());
    assert.equal(engine.name, 'wasm');
    assert.match(logged.join('\n'), /lists no GPU/);
  });

  it('prefers a CUDA engine that lists a GPU', async () => {
    await installFake(fakeBackend(true));
    const engine = await loadEngine('auto', options());
    assert.equal(engine.name, 'tensorflow');
    assert.match(engine.device, /NVIDIA/);
    assert.deepEqual(logged, []);
  });

  it('falls back to cpu where the wasm files are missing too', async () => {
    const engine = await loadEngine('auto', options({ wasmDir: enginesDir }));
    assert.equal(engine.name, 'cpu');
    assert.match(logged.join('\n'), /"wasm".*lacks .*kernels\.wasm.*npm run build/);
  });

  it('refuses an explicit choice with what is missing and what to do', async () => {
    const refused = (pattern: RegExp) => assert.rejects(loadEngine('tensorflow', options()), pattern);
    await refused(
      /"tensorflow".*tfjs-node-gpu is not installed; run "Tiny Cats: Install CUDA Engine" or `tiny-cats install-engine`/,
    );
    await installFake(fakeBackend(true), '4.0.0');
    await refused(/4\.0\.0 is installed, 4\.22\.0 is needed/);
    await assert.rejects(
      loadEngine('wasm', options({ wasmDir: enginesDir })),
      /"wasm".*lacks tfjs-backend-wasm-simd\.wasm/,
    );
  });

  it('passes on why an installed CUDA engine does not load', async () => {
    await installFake(fakePackage(`throw new Error('libcudart.so.11.0: cannot open shared object file');`));
    await assert.rejects(loadEngine('tensorflow', options()), /does not load \(libcudart\.so\.11\.0/);
  });

  describe('webgpu', () => {
    /** A fake of Dawn's package whose GPU has the adapter that the expression says. */
    const installDawn = async (adapter: string) => {
      const packages = join(enginesDir, 'webgpu', 'node_modules');
      const put = async (name: string, version: string, type: string, source: string) => {
        const dir = join(packages, name);
        await mkdir(dir, { recursive: true });
        await writeFile(join(dir, 'package.json'), JSON.stringify({ name, version, type, main: 'index.js' }));
        await writeFile(join(dir, 'index.js'), source);
      };
      await put(
        'webgpu',
        '0.6.2',
        'module',
        `export const globals = {};
         export const create = () => ({ requestAdapter: async () => (${adapter}) });`,
      );
      await put(
        '@tensorflow/tfjs-backend-webgpu',
        tf.version_core,
        'commonjs',
        `if (!navigator.gpu) throw new Error('navigator.gpu is missing');
         globalThis._tfengine.registerBackend('webgpu', () => ({ dispose() {} }), 3);`,
      );
    };
    const loaded = () => loadEngine('webgpu', options());
    afterEach(() => {
      if (tf.engine().backendNames().includes('webgpu')) tf.removeBackend('webgpu');
    });

    it('is refused where no adapter is found', async () => {
      await installDawn('null');
      await assert.rejects(loaded(), /webgpu finds no GPU; it needs one with a driver/);
    });

    it('is refused on adapters that compute on the processor', async () => {
      for (const adapter of [
        `{ info: { vendor: 'mesa', device: 'llvmpipe (LLVM 15.0.6, 256 bits)' } }`,
        `{ info: { vendor: 'google', architecture: 'swiftshader', description: 'SwiftShader Device' } }`,
        `{ info: { vendor: 'microsoft', description: 'Microsoft Basic Render Driver' } }`,
        `{ info: { vendor: 'acme', isFallbackAdapter: true } }`,
      ]) {
        await rm(join(enginesDir, 'webgpu'), { recursive: true, force: true });
        enginesDir = await mkdtemp(join(tmpdir(), 'tiny-cats-engines-'));
        await installDawn(adapter);
        await assert.rejects(loaded(), /finds only ".*", which computes on the processor/);
      }
    });

    it('is taken before wasm on a hardware adapter, and names it', async () => {
      await installDawn(
        `{ info: { vendor: 'nvidia', architecture: 'ampere', device: '', description: 'NVIDIA RTX' } }`,
      );
      const engine = await loadEngine('auto', options());
      assert.equal(engine.name, 'webgpu');
      assert.equal(engine.device, 'nvidia ampere NVIDIA RTX, WebGPU (Dawn 0.6.2)');
      assert.match(logged.join('\n'), /"tensorflow".*not installed/);
    });
  });

  it('loads an engine twice without harm and times it as a phase', async () => {
    const phases: string[] = [];
    const phase: EngineOptions['phase'] = async (name, work) => {
      phases.push(name);
      return await work();
    };
    const first = await loadEngine('wasm', options({ phase }));
    const second = await loadEngine('wasm', options({ phase }));
    assert.equal(second.ops, first.ops);
    assert.deepEqual(phases, ['engine wasm', 'engine wasm']);
  });
});
