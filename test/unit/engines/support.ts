import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import { loadEngine, type Engine } from '../../../src/container/engines/engine';

const root = resolve(__dirname, '..', '..', '..');

/** Folder with the wasm files that the tests use, ignored by git. */
export const wasmDir = join(root, 'out', 'test-wasm');

function hasBuild(module: unknown): module is { buildKernels(outDir: string): Promise<boolean> } {
  return typeof module === 'object' && module !== null && 'buildKernels' in module;
}

/** Compiles the kernels where they are older than their sources and puts tfjs's wasm file next to them. */
export async function prepareWasm(): Promise<void> {
  const script: unknown = await import(pathToFileURL(join(root, 'scripts', 'build-kernels.mjs')).href);
  assert.ok(hasBuild(script));
  await script.buildKernels(wasmDir);
  const manifest = createRequire(__filename).resolve('@tensorflow/tfjs-backend-wasm/package.json');
  const file = 'tfjs-backend-wasm-simd.wasm';
  await cp(join(dirname(manifest), 'dist', file), join(wasmDir, file));
}

const load = (name: 'wasm' | 'cpu') =>
  loadEngine(name, { wasmDir, enginesDir: join(wasmDir, 'none'), log: () => undefined });

/** Both engines: the cpu one is the reference. The wasm one is tfjs's current backend afterwards. */
export async function loadBoth(): Promise<{ wasm: Engine; cpu: Engine }> {
  await prepareWasm();
  const cpu = await load('cpu');
  const wasm = await load('wasm');
  return { wasm, cpu };
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** An array of `count` values in [-1, 1). */
export const values = (random: () => number, count: number): Float32Array =>
  Float32Array.from({ length: count }, () => random() * 2 - 1);

export const size = (shape: readonly number[]): number =>
  shape.reduce((product, extent) => product * extent, 1);

export interface Input {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export const input = (random: () => number, shape: readonly number[]): Input => ({
  shape,
  values: values(random, size(shape)),
});

/** Something that both engines compute. */
export type Operation = (engine: Engine, inputs: Tensor[]) => Tensor;

/** The only input of an operation, or the one at `index`. */
export function at(inputs: readonly Tensor[], index = 0): Tensor {
  const tensor = inputs[index];
  assert.ok(tensor);
  return tensor;
}

/** Makes a loaded engine the current one again. */
export function useEngine({ tf, name }: Engine): void {
  // Both are initialised, so that the switch takes place before the promise is returned.
  void tf.setBackend(name);
  assert.equal(tf.getBackend(), name);
}

/** The fixed weights by which a result is summed up before it is differentiated. */
const resultWeights = (count: number): Float32Array => values(seeded(99), count);

/** The operation's result and the gradients of its weighted sum with respect to every input, read from one engine. */
export function evaluate(
  engine: Engine,
  operation: Operation,
  inputs: readonly Input[],
  differentiate = true,
): { shape: number[]; value: Float32Array; grads: Float32Array[] } {
  const { tf } = engine;
  useEngine(engine);
  return tf.tidy(() => {
    const tensors = inputs.map(({ shape, values: data }) => tf.tensor(data.slice(), [...shape], 'float32'));
    const result = operation(engine, tensors);
    const value = Float32Array.from(result.dataSync());
    const shape = result.shape;
    if (!differentiate) return { shape, value, grads: [] };
    const weights = tf.tensor(resultWeights(result.size), result.shape);
    const weighted = tf.grads((...parts: Tensor[]) => tf.sum(tf.mul(operation(engine, parts), weights)));
    return { shape, value, grads: weighted(tensors).map((grad) => Float32Array.from(grad.dataSync())) };
  });
}

/** Asserts that all values agree within `tolerance` of the largest expected magnitude. */
export function assertClose(
  actual: Float32Array,
  expected: Float32Array,
  what: string,
  tolerance = 1e-5,
): void {
  assert.equal(actual.length, expected.length, `${what}: length`);
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
  expected.forEach((value, index) => {
    const difference = Math.abs((actual[index] ?? NaN) - value);
    assert.ok(
      difference <= tolerance * scale,
      `${what}: value ${index} is ${actual[index] ?? NaN}, not ${value}`,
    );
  });
}

/** Asserts that both engines give the operation the same result and gradients. */
export function assertSame(
  engines: { wasm: Engine; cpu: Engine },
  what: string,
  operation: Operation,
  inputs: readonly Input[],
  options: { differentiate?: boolean; tolerance?: number } = {},
): void {
  const { differentiate = true, tolerance } = options;
  const expected = evaluate(engines.cpu, operation, inputs, differentiate);
  const actual = evaluate(engines.wasm, operation, inputs, differentiate);
  assert.deepEqual(actual.shape, expected.shape, what);
  assertClose(actual.value, expected.value, what, tolerance);
  expected.grads.forEach((grad, index) => {
    assertClose(actual.grads[index] ?? new Float32Array(), grad, `${what}: gradient ${index}`, tolerance);
  });
}

/** Asserts that the engine's gradients agree with central differences in the first 20 values of every input. */
export function assertFiniteDifferences(
  engine: Engine,
  operation: Operation,
  inputs: readonly Input[],
  step = 0.01,
): void {
  const weightedSum = (moved: readonly Input[]): number => {
    const { value } = evaluate(engine, operation, moved, false);
    const weights = resultWeights(value.length);
    return value.reduce((total, part, index) => total + part * (weights[index] ?? 0), 0);
  };
  const { grads } = evaluate(engine, operation, inputs);
  inputs.forEach((original, which) => {
    const moved = (index: number, by: number): Input[] =>
      inputs.map((other) => {
        if (other !== original) return other;
        const copy = other.values.slice();
        copy[index] = (copy[index] ?? 0) + by;
        return { shape: other.shape, values: copy };
      });
    const expected = Float32Array.from(
      { length: Math.min(20, original.values.length) },
      (_, index) => (weightedSum(moved(index, step)) - weightedSum(moved(index, -step))) / (2 * step),
    );
    const actual = grads[which] ?? new Float32Array();
    assertClose(actual.slice(0, expected.length), expected, `gradient ${which}`, 5e-3);
  });
}

/** Reads and frees a map of tensors. */
export function readAll(tensors: NamedTensorMap): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const read = Array.from(tensor.dataSync());
      tensor.dispose();
      return [name, read];
    }),
  );
}
