import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKernels, type WasmMemory } from '../../../src/container/engines/wasm/kernelModule';
import { assertClose, prepareWasm, seeded, values, wasmDir } from './support';

declare const WebAssembly: { readonly Memory: new (size: { initial: number }) => WasmMemory };

const pages = 64;

/** Multiplies two seeded matrices with one of the two modules. */
async function product(relaxed: boolean): Promise<Float32Array> {
  const memory = new WebAssembly.Memory({ initial: pages });
  const { kernels } = await loadKernels(wasmDir, memory, relaxed);
  const [m, n, k] = [23, 29, 301];
  const [a, b, c, scratch] = [64, 1 << 18, 2 << 18, 3 << 18] as const;
  const heap = new Float32Array(memory.buffer);
  heap.set(values(seeded(51), m * k), a / 4);
  heap.set(values(seeded(52), k * n), b / 4);
  kernels.gemm(a, k * 4, 4, b, n * 4, 4, c, n * 4, m, n, k, scratch, false);
  return heap.slice(c / 4, c / 4 + m * n);
}

describe('kernel modules', () => {
  before(prepareWasm);

  it('compute the same with plain and with relaxed SIMD', async () => {
    const { relaxed } = await loadKernels(wasmDir, new WebAssembly.Memory({ initial: pages }));
    assert.ok(relaxed, 'every Node from 20 on has relaxed SIMD');
    assertClose(await product(true), await product(false), 'product');
  });

  it('leave the memory of their host alone when they start', async () => {
    const memory = new WebAssembly.Memory({ initial: pages });
    const bytes = new Uint8Array(memory.buffer).fill(7);
    await loadKernels(wasmDir, memory);
    assert.ok(bytes.every((byte) => byte === 7));
  });

  it('are refused where the file is another module', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tiny-cats-kernels-'));
    try {
      await copyFile(join(wasmDir, 'tfjs-backend-wasm-simd.wasm'), join(dir, 'kernels.wasm'));
      const load = loadKernels(dir, new WebAssembly.Memory({ initial: pages }), false);
      await assert.rejects(load);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
