import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  readHeader,
  readTensors,
  SafetensorsError,
  writeSafetensors,
} from '../../../../src/volume/safetensors';
import { temporaryFolder } from './rawFile';

describe('safetensors written and read again', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let path: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    path = join(folder.path, 'best.safetensors');
  });
  afterEach(() => folder.remove());

  const tensors = [
    { name: 'conv.weight', shape: [2, 3], data: Float32Array.of(1, -0, NaN, Infinity, -Infinity, 1e-45) },
    { name: '10', shape: [2], data: Float32Array.of(0.1, 0.2) },
    { name: '__proto__', shape: [], data: Float32Array.of(7) },
    { name: 'nothing', shape: [0, 3], data: new Float32Array(0) },
    { name: 'Kätzchen "1"', shape: [1], data: Float32Array.of(9) },
  ];
  const metadata = Object.fromEntries([
    ['format', 'tiny-cats'],
    ['classes', '["cat","other"]'],
    ['__proto__', 'a key like any other'],
    ['name', 'Mümmel\n\u{1f408}'],
  ]);

  it('gives back every bit, name, shape and metadata entry, in order', async () => {
    await writeSafetensors(path, tensors, metadata);
    const header = await readHeader(path);
    assert.deepEqual(
      header.tensors.map(({ name, shape, bytes }) => [name, shape, bytes]),
      tensors.map(({ name, shape, data }) => [name, shape, data.byteLength]),
    );
    assert.deepEqual(Object.entries(header.metadata), Object.entries(metadata));
    const read = await readTensors(path);
    assert.deepEqual(
      [...read.keys()],
      tensors.map(({ name }) => name),
    );
    for (const { name, data } of tensors) {
      assert.deepEqual(
        Buffer.from(read.get(name)?.data.buffer ?? new ArrayBuffer(0)),
        Buffer.from(data.buffer),
        name,
      );
    }
  });

  it('writes only the part of a buffer that an array shows', async () => {
    const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    await writeSafetensors(path, [{ name: 'a', shape: [2], data }], {});
    assert.deepEqual([...((await readTensors(path)).get('a')?.data ?? [])], [2, 3]);
  });

  it('aligns the data to 8 bytes and gives the same bytes for the same content', async () => {
    for (const name of ['a', 'ab', 'abc', 'abcd', 'abcde']) {
      const args = [[{ name, shape: [], data: Float32Array.of(1) }], { epoch: '3' }] as const;
      await writeSafetensors(path, ...args);
      const bytes = await readFile(path);
      assert.equal((await readHeader(path)).headerBytes % 8, 0);
      await writeSafetensors(path, ...args);
      assert.deepEqual(await readFile(path), bytes);
    }
  });

  it('reads the tensors asked for, in that order', async () => {
    await writeSafetensors(path, tensors, {});
    assert.deepEqual([...(await readTensors(path, ['__proto__', '10'])).keys()], ['__proto__', '10']);
    await assert.rejects(readTensors(path, ['head']), /no tensor "head"/);
  });

  it('holds no tensors at all', async () => {
    await writeSafetensors(path, [], {});
    assert.deepEqual((await readHeader(path)).tensors, []);
    assert.equal((await readTensors(path)).size, 0);
  });

  const data = Float32Array.of(1, 2);
  for (const [what, wrong, message] of [
    ['a shape that does not fit', [{ name: 'a', shape: [3], data }], /2 values.*\[3\]/],
    ['a shape that is no size', [{ name: 'a', shape: [-1, -2], data }], /2 values/],
    ['a name given twice', [2, 2].map((n) => ({ name: 'a', shape: [n], data })), /two tensors are named "a"/],
    ['the reserved name', [{ name: '__metadata__', shape: [2], data }], /cannot be named/],
  ] as const) {
    it(`refuses ${what} and writes nothing`, async () => {
      await assert.rejects(writeSafetensors(path, wrong, {}), (error: unknown) => {
        assert.ok(error instanceof SafetensorsError);
        assert.match(error.message, message);
        return true;
      });
      assert.deepEqual(await readdir(folder.path), []);
    });
  }
});
