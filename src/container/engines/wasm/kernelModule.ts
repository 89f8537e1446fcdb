import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

/** The part of WebAssembly that is used here; neither Node's types nor the language's declare it. */
declare const WebAssembly: {
  readonly Memory: abstract new () => WasmMemory;
  readonly Module: new (binary: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: { env: { memory: WasmMemory } },
  ) => { readonly exports: Record<string, unknown> };
  validate(binary: Uint8Array): boolean;
};

/** A WebAssembly.Module; what one thread has compiled another one can have. */
export type WasmModule = object;

/** The compiled kernels. */
export interface KernelModule {
  readonly module: WasmModule;
  /** With relaxed SIMD. */
  readonly relaxed: boolean;
}

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
  return { simd: WebAssembly.validate(simdProbe), relaxedSimd: hasRelaxedSimd() };
}

export function isMemory(value: unknown): value is WasmMemory {
  return value instanceof WebAssembly.Memory;
}

export function isModule(value: unknown): value is WasmModule {
  return value instanceof WebAssembly.Module;
}

function isKernels(exports: Record<string, unknown>): exports is Kernels {
  return Object.entries(parameterCounts).every(([name, count]) => {
    const kernel = exports[name];
    return typeof kernel === 'function' && kernel.length === count;
  });
}

/** Versions of Node whose V8 the flags below were tried on; others might not know them and would complain on stderr. */
const known = /^v(20|22|24)\./.exec(process.version)?.[1];

/** Flags of V8, and those that take them back. */
interface Flags {
  readonly set: readonly string[];
  readonly back: readonly string[];
}

/**
 * Runs `work` under flags of V8, and takes them back. They are the whole process's: what was compiled and kept under other
 * flags is not taken from its cache, be it that of a bundle or Node's own, with which a thread starts in two thirds of the time.
 */
function withFlags<T>({ set, back }: Flags, work: () => T): T {
  for (const flag of set) setFlagsFromString(flag);
  try {
    return work();
  } finally {
    for (const flag of back) setFlagsFromString(flag);
  }
}

/** Relaxed SIMD is there by default from Node 22 on, and before that behind a flag that V8 takes while it runs. */
const relaxedFlags: Flags = /^v2[01]\./.test(process.version)
  ? { set: ['--experimental-wasm-relaxed-simd'], back: ['--no-experimental-wasm-relaxed-simd'] }
  : { set: [], back: [] };

function hasRelaxedSimd(): boolean {
  return withFlags(relaxedFlags, () => WebAssembly.validate(relaxedProbe));
}

/** V8 of Node 24 can join pairs of 128-bit operations to 256-bit ones where the processor has AVX2. */
const joinsVectors = known === '24' && process.arch === 'x64';

/**
 * At once with the optimising compiler: it takes 20 ms, and the first step is as fast as any later one. Joined vectors make
 * matrix products 1.4 times as fast; they are switched on for this module alone, whose tests run with them.
 */
const compileFlags: Flags =
  known === undefined
    ? relaxedFlags
    : {
        set: [
          ...relaxedFlags.set,
          '--no-liftoff',
          '--no-wasm-lazy-compilation',
          ...(joinsVectors ? ['--experimental-wasm-revectorize'] : []),
        ],
        back: [
          '--liftoff',
          // `--no-liftoff` takes it along: without it all other modules would stay as Liftoff has compiled them.
          '--wasm-dynamic-tiering',
          '--wasm-lazy-compilation',
          ...(joinsVectors ? ['--no-experimental-wasm-revectorize'] : []),
          ...relaxedFlags.back,
        ],
      };

/**
 * Compiles the kernels in `wasmDir`, with the fused multiply-add of relaxed SIMD where it is to be had: matrix products
 * are up to 1.7 times as fast with it.
 * @throws Error where the file is missing or this runtime cannot compile it
 */
export function compileKernels(wasmDir: string, relaxed = hasRelaxedSimd()): KernelModule {
  const binary = readFileSync(join(wasmDir, kernelFile(relaxed)));
  return { module: withFlags(compileFlags, () => new WebAssembly.Module(binary)), relaxed };
}

/**
 * Instantiates the kernels on `memory`, the heap of tfjs-backend-wasm.
 * @throws Error where they were built from other sources
 */
export function instantiateKernels({ module, relaxed }: KernelModule, memory: WasmMemory): Kernels {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  if (!isKernels(exports))
    throw new Error(`${kernelFile(relaxed)} does not fit this version; build it again`);
  return exports;
}

function kernelFile(relaxed: boolean): string {
  return relaxed ? 'kernels-relaxed.wasm' : 'kernels.wasm';
}
