import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

/** The part of WebAssembly that is used here; neither Node's types nor the language's declare it. */
declare const WebAssembly: {
  readonly Memory: abstract new () => WasmMemory;
  readonly Module: new (binary: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { env: { memory: WasmMemory } },
  ) => { readonly exports: Record<string, unknown> };
  validate(binary: Uint8Array): boolean;
};

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Number of parameters of every kernel in assembly/index.ts; checked when the module is loaded. */
const parameterCounts = {
  gemm: 13,
  gemmScratchBytes: 2,
  im2col: 15,
  col2im: 15,
  reduceMiddle: 6,
  sumOfSquares: 2,
  batchNormMoments: 6,
  batchNormApply: 10,
  batchNormGradientSums: 7,
  batchNormInputGradient: 13,
  clear: 2,
  reluGradient: 4,
  scale: 4,
  adam: 13,
  attentionScratchBytes: 2,
  attentionForward: 9,
  attentionBackward: 10,
  crossEntropyForward: 6,
  crossEntropyBackward: 6,
  gatedSigmoid: 5,
  gatedSigmoidGradient: 6,
  layerNorm: 8,
  layerNormGradient: 9,
  softmax: 5,
  softmaxGradient: 6,
  maxPoolGradient: 17,
  broadcast: 8,
  segmentSum: 6,
  repeat: 5,
  depthwiseInputGradient: 18,
  depthwiseFilterGradient: 18,
  winogradExchange: 5,
  winogradFilter: 6,
  winogradFilterGradient: 6,
  winogradImage: 13,
  winogradImageGradient: 12,
  winogradMultiply: 8,
  winogradMultiplyGradient: 9,
  winogradPointBytes: 2,
  winogradResult: 11,
  winogradResultGradient: 11,
  winogradScratchBytes: 4,
} as const;

/** The kernels, documented in assembly/. Addresses and strides are in bytes; a kernel without a result returns undefined. */
export type Kernels = Record<keyof typeof parameterCounts, (...parameters: (number | boolean)[]) => number>;

/** A module with one function (v128, v128, v128) -> v128 made of f32x4.relaxed_madd. */
const relaxedProbe = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32,
  1, 32, 2, 253, 133, 2, 11,
]);

/** A module with one function () -> v128 made of i8x16.splat. */
const simdProbe = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11,
]);

/** What this runtime's WebAssembly can do. */
export function wasmFeatures(): { simd: boolean; relaxedSimd: boolean } {
  return { simd: WebAssembly.validate(simdProbe), relaxedSimd: enableRelaxedSimd() };
}

export function isMemory(value: unknown): value is WasmMemory {
  return value instanceof WebAssembly.Memory;
}

function isKernels(exports: Record<string, unknown>): exports is Kernels {
  return Object.entries(parameterCounts).every(([name, count]) => {
    const kernel = exports[name];
    return typeof kernel === 'function' && kernel.length === count;
  });
}

/**
 * True where relaxed SIMD is to be had: by default from Node 22 on, and in Node 20 behind a flag that V8 takes while it
 * runs. Its fused multiply-add makes matrix products up to 1.7 times as fast.
 */
function enableRelaxedSimd(): boolean {
  if (WebAssembly.validate(relaxedProbe)) return true;
  // Later versions do not know the flag and would complain on stderr.
  if (!/^v2[01]\./.test(process.version)) return false;
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  return WebAssembly.validate(relaxedProbe);
}

/** Versions of Node whose V8 the flags below were tried on; others might not know them and would complain on stderr. */
const known = /^v(20|22|24)\./.exec(process.version)?.[1];

/**
 * Compiles at once with the optimising compiler: it takes 20 ms, and the first step is as fast as any later one. V8 of
 * Node 24 also joins pairs of 128-bit operations to 256-bit ones where the processor has AVX2, which makes matrix products
 * 1.4 times as fast; it is switched on for this module alone, whose tests run with it.
 */
function compile(binary: Uint8Array): object {
  if (known === undefined) return new WebAssembly.Module(binary);
  const joinVectors = known === '24' && process.arch === 'x64';
  const set = (flag: string, on: boolean) => setFlagsFromString(`--${on ? '' : 'no-'}${flag}`);
  set('liftoff', false);
  set('wasm-lazy-compilation', false);
  if (joinVectors) set('experimental-wasm-revectorize', true);
  try {
    return new WebAssembly.Module(binary);
  } finally {
    set('liftoff', true);
    set('wasm-lazy-compilation', true);
    if (joinVectors) set('experimental-wasm-revectorize', false);
  }
}

/**
 * Instantiates the kernels on `memory`, the heap of tfjs-backend-wasm, with fused multiply-add where there is relaxed SIMD.
 * @throws Error where the file in `wasmDir` is missing or was built from other sources.
 */
export async function loadKernels(
  wasmDir: string,
  memory: WasmMemory,
  relaxed = enableRelaxedSimd(),
): Promise<{ kernels: Kernels; relaxed: boolean }> {
  const path = join(wasmDir, relaxed ? 'kernels-relaxed.wasm' : 'kernels.wasm');
  const { exports } = new WebAssembly.Instance(compile(await readFile(path)), { env: { memory } });
  if (!isKernels(exports)) throw new Error(`${path} does not fit this version; build it again`);
  return { kernels: exports, relaxed };
}
