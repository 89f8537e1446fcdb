import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  compileKernels,
  instantiateKernels,
  type WasmMemory,
} from '../../../src/container/engines/wasm/kernelModule';
import { assertClose, prepareWasm, seeded, values, wasmDir } from './support';

declare const WebAssembly: { readonly Memory: new (size: { initial: number }) => WasmMemory };

const pages = 64;

/** Multiplies two seeded matrices with one of the two modules. */
function product(relaxed: boolean): Float32Array {
  const memory = new WebAssembly.Memory({ initial: pages });
  const kernels = instantiateKernels(compileKernels(wasmDir, relaxed), memory);
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

  it('compute the same with plain and with relaxed SIMD', () => {
    assert.ok(compileKernels(wasmDir).relaxed, 'every Node from 20 on has relaxed SIMD');
    assertClose(product(true), product(false), 'product');
  });

  it('leave the memory of their host alone when they start', () => {
    const memory = new WebAssembly.Memory({ initial: pages });
    const bytes = new Uint8Array(memory.buffer).fill(7);
    instantiateKernels(compileKernels(wasmDir), memory);
    assert.ok(bytes.every((byte) => byte === 7));
  });

  it('are refused where the file is another module', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tiny-cats-kernels-'));
    try {
      await copyFile(join(wasmDir, 'tfjs-backend-wasm-simd.wasm'), join(dir, 'kernels.wasm'));
      assert.throws(() =>
        instantiateKernels(compileKernels(dir, false), new WebAssembly.Memory({ initial: pages })),
      );
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
