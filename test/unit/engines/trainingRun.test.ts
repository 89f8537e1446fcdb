import assert from 'node:assert/strict';
import type { Rank, Scalar, ShapeMap, Tensor4D, Variable } from '@tensorflow/tfjs-core';
import type { Engine } from '../../../src/container/engines/engine';
import { loadBoth, seeded, useEngine, values } from './support';

interface Net {
  readonly step: () => number;
  readonly weights: () => Float32Array;
  readonly dispose: () => void;
}

/** A small residual net, as the classifier's: stem, residual block, stride-2 block with projection, pooling, dense. */
function residualNet({ tf, ops }: Engine, seed: number): Net {
  const random = seeded(seed);
  const variables: Record<string, Variable> = {};
  const parameter = <R extends Rank>(name: string, shape: ShapeMap[R], fill?: number): Variable<R> => {
    const count = shape.reduce((a: number, b: number) => a * b, 1);
    const data =
      fill === undefined ? values(random, count).map((v) => v * 0.3) : new Float32Array(count).fill(fill);
    const variable = tf.tidy(() => tf.variable(tf.tensor<R>(data, shape)));
    variables[name] = variable;
    return variable;
  };
  const layer = (name: string, kernel: number, from: number, to: number, stride: number) => {
    const filter = parameter<Rank.R4>(`${name}/filter`, [kernel, kernel, from, to]);
    const gamma = parameter<Rank.R1>(`${name}/gamma`, [to], 1);
    const beta = parameter<Rank.R1>(`${name}/beta`, [to], 0);
    return (x: Tensor4D) =>
      ops.batchNorm(tf.conv2d(x, filter, stride, 'same'), gamma, beta, 1e-5).y as Tensor4D;
  };
  const stem = layer('stem', 3, 3, 8, 1);
  const first = layer('first', 3, 8, 8, 1);
  const second = layer('second', 3, 8, 12, 2);
  const projection = layer('projection', 1, 8, 12, 2);
  const dense = parameter<Rank.R2>('dense', [12, 3]);
  const images = tf.tensor4d(values(random, 5 * 11 * 11 * 3), [5, 11, 11, 3]);
  const labels = tf.tensor1d([0, 1, 2, 1, 0], 'int32');
  const optimizer = ops.adam(variables);
  const loss = (): Scalar => {
    const a = tf.relu(stem(images));
    const b = tf.relu(tf.add<Tensor4D>(a, first(a)));
    const c = tf.relu(tf.add<Tensor4D>(projection(b), second(b)));
    return ops.crossEntropy(tf.matMul(tf.mean(c, [1, 2]), dense), labels);
  };
  return {
    step: () => {
      const value = tf.tidy(() => {
        const { value: result, grads } = tf.variableGrads(loss, Object.values(variables));
        optimizer.step(ops.clipByGlobalNorm(grads, 1).grads, 0.01, 1e-4);
        return result;
      });
      const [number = NaN] = value.dataSync();
      value.dispose();
      return number;
    },
    weights: () => Float32Array.from(Object.values(variables).flatMap((v) => Array.from(v.dataSync()))),
    dispose: () => {
      optimizer.dispose();
      tf.dispose([images, labels, ...Object.values(variables)]);
    },
  };
}

/** Bytes of the wasm heap. */
function heapBytes({ tf }: Engine): number {
  const backend: object = tf.backend();
  assert.ok('wasm' in backend && typeof backend.wasm === 'object' && backend.wasm !== null);
  assert.ok('HEAPU8' in backend.wasm && backend.wasm.HEAPU8 instanceof Uint8Array);
  return backend.wasm.HEAPU8.length;
}

describe('training on the wasm engine', () => {
  let wasm: Engine;
  let cpu: Engine;
  before(async () => {
    ({ wasm, cpu } = await loadBoth());
  });

  it('learns a small batch by heart, alike on both engines at first', () => {
    useEngine(cpu);
    const reference = residualNet(cpu, 7);
    const expected = [reference.step(), reference.step(), reference.step()];
    reference.dispose();
    useEngine(wasm);
    const net = residualNet(wasm, 7);
    const losses = Array.from({ length: 60 }, () => net.step());
    net.dispose();
    expected.forEach((loss, index) => {
      assert.ok(
        Math.abs((losses[index] ?? NaN) - loss) < 1e-3 * loss,
        `step ${index}: ${losses[index] ?? NaN}, ${loss}`,
      );
    });
    assert.ok((losses.at(-1) ?? NaN) < 0.1 * (losses[0] ?? NaN));
  });

  it('repeats a run bit for bit', () => {
    useEngine(wasm);
    const run = () => {
      const net = residualNet(wasm, 8);
      const losses = Array.from({ length: 40 }, () => net.step());
      const weights = net.weights();
      net.dispose();
      return { losses, weights };
    };
    assert.deepEqual(run(), run());
  });

  it('keeps tensors, buffers and heap constant over 2,000 steps', () => {
    useEngine(wasm);
    const { tf } = wasm;
    const before = tf.memory().numTensors;
    const net = residualNet(wasm, 9);
    for (let i = 0; i < 10; i++) net.step();
    const state = () => ({
      tensors: tf.memory().numTensors,
      buffers: tf.backend().numDataIds(),
      heap: heapBytes(wasm),
    });
    const warm = state();
    for (let i = 0; i < 2000; i++) net.step();
    assert.deepEqual(state(), warm);
    net.dispose();
    assert.equal(tf.memory().numTensors, before);
  });

  it('goes on correctly when the heap grows in the middle of a step', () => {
    useEngine(wasm);
    const { tf } = wasm;
    const small = heapBytes(wasm);
    const x = tf.tensor4d(values(seeded(10), 2 * 8 * 8 * 4), [2, 8, 8, 4]);
    const filter = tf.tensor4d(values(seeded(11), 3 * 3 * 4 * 4), [3, 3, 4, 4]);
    const read = () => tf.tidy(() => tf.conv2d(x, filter, 1, 'same').dataSync().slice());
    const expected = read();
    const block = tf.zeros([small / 4]);
    assert.ok(heapBytes(wasm) > small);
    assert.deepEqual(read(), expected);
    tf.dispose([x, filter, block]);
  });
});
