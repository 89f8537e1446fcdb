import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  readHeader,
  readTensors,
  SafetensorsError,
  writeSafetensors,
} from '../../../../src/volume/safetensors';
import type { RawFile } from './rawFile';
import { temporaryFolder, tensor, writeRawFile } from './rawFile';

const gibibyte = 2 ** 30;

describe('readHeader', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let path: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    path = join(folder.path, 'model.safetensors');
  });
  afterEach(() => folder.remove());

  async function assertRejected(message: RegExp): Promise<void> {
    await assert.rejects(readHeader(path), (error: unknown) => {
      assert.ok(error instanceof SafetensorsError, String(error));
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(`${path}: `), 'the message names the file');
      return true;
    });
  }

  it('reads a file far larger than the memory without its data', async () => {
    const half = 256 * gibibyte;
    await writeRawFile(path, {
      header: {
        'b.weight': tensor('BF16', [half / 2], half, 2 * half),
        'a.weight': tensor('F32', [half / 4], 0, half),
      },
      dataBytes: 2 * half,
    });
    const header = await readHeader(path);
    assert.equal(header.dataBytes, 2 * half);
    assert.deepEqual(
      header.tensors.map(({ name, dtype, offset }) => [name, dtype, offset]),
      [
        ['a.weight', 'F32', 0],
        ['b.weight', 'BF16', half],
      ],
    );
  });

  it('knows the byte length of every dtype, packed ones too', async () => {
    await writeRawFile(path, {
      header: {
        flag: tensor('BOOL', [3], 0, 3),
        half: tensor('F16', [2, 2], 3, 11),
        fp4: tensor('F4', [4], 11, 13),
        fp6: tensor('F6_E2M3', [2, 2], 13, 16),
        complex: tensor('C64', [], 16, 24),
        none: tensor('I64', [5, 0], 24, 24),
      },
      dataBytes: 24,
    });
    assert.deepEqual(
      (await readHeader(path)).tensors.map(({ bytes }) => bytes),
      [3, 8, 2, 3, 8, 0],
    );
    const read = await readTensors(path, ['flag', 'half', 'none']);
    assert.deepEqual(
      [...read.values()].map(({ data }) => data.length),
      [3, 4, 0],
    );
    await assert.rejects(readTensors(path, ['fp4']), /"fp4" has the dtype F4, whose values cannot be read/);
  });

  it('takes keys named as parts of JavaScript objects for what they are', async () => {
    await writeRawFile(path, {
      header:
        '{"__metadata__":{"__proto__":"x","constructor":"y"},' +
        '"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' +
        '"toString":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}   ',
      dataBytes: 2,
    });
    const header = await readHeader(path);
    assert.deepEqual(Object.entries(header.metadata), [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    assert.deepEqual(
      header.tensors.map(({ name }) => name),
      ['__proto__', 'toString'],
    );
    assert.equal(Object.getPrototypeOf(header.metadata), Object.prototype);
  });

  const one = tensor('U8', [4], 0, 4);
  const raw: [string, RawFile, RegExp][] = [
    [
      'a length of 2^63',
      { header: {}, claimedHeaderBytes: 2n ** 63n },
      /claims a header of 9223372036854775808 bytes/,
    ],
    [
      'a length above the limit',
      { header: {}, claimedHeaderBytes: 100_000_001n },
      /more than the limit of 100000000/,
    ],
    ['a header cut off', { header: '{"a', claimedHeaderBytes: 100n }, /inside its header.*108.*cut off/],
    ['a header of no bytes', { header: '' }, /not JSON/],
    ['a header that is not JSON', { header: '{"a": NaN}' }, /not JSON.*damaged/],
    ['a header that is an array', { header: '[]' }, /must be a JSON object/],
    [
      'data cut off',
      { header: { a: one }, dataBytes: 3 },
      /the file ends after \d+ of \d+ bytes: it was cut off/,
    ],
    ['data appended', { header: { a: one }, dataBytes: 5 }, /tensors end at \d+: something was appended/],
    [
      'overlapping tensors',
      { header: { a: one, b: tensor('U8', [4], 2, 6) }, dataBytes: 6 },
      /"b" overlaps "a": it begins at 2, but must begin at 4/,
    ],
    ['a gap', { header: { a: tensor('U8', [4], 4, 8) }, dataBytes: 8 }, /"a" leaves a gap of 4 bytes/],
    [
      'a size that does not fit',
      { header: { a: tensor('F32', [4], 0, 4) }, dataBytes: 4 },
      /F32.*\[4\] needs 16 bytes/,
    ],
    ['half a byte', { header: { a: tensor('F4', [3], 0, 2) }, dataBytes: 2 }, /needs 1\.5 bytes/],
    [
      'a shape beyond counting',
      { header: { a: tensor('U8', [2 ** 52, 2 ** 52], 0, 0) } },
      /needs 2\.0.*e\+31 bytes/,
    ],
    ['offsets that run backwards', { header: { a: tensor('U8', [4], 4, 0) } }, /needs 4 bytes/],
    ['an unknown dtype', { header: { a: tensor('F31', [1], 0, 4) } }, /unknown dtype "F31"; known are F64/],
    [
      'a dtype named as a method',
      { header: { a: tensor('toString', [1], 0, 4) } },
      /unknown dtype "toString"/,
    ],
    ['a negative size', { header: { a: tensor('U8', [-4], 0, 4) } }, /tensor "a", at "shape\.0"/],
    ['a fractional offset', { header: { a: tensor('U8', [1], 0, 0.5) } }, /tensor "a", at "data_offsets\.1"/],
    ['three offsets', { header: { a: { ...one, data_offsets: [0, 4, 8] } } }, /tensor "a", at "data_offsets/],
    ['a tensor that is null', { header: { a: null } }, /tensor "a"/],
    ['metadata that is no object', { header: { __metadata__: ['x'] } }, /"__metadata__" must be an object/],
    [
      'metadata that is no text',
      { header: { __metadata__: { epoch: 3 } } },
      /"epoch" must be a string, but is 3/,
    ],
    ['a tensor named twice', { header: '{"a":{},"b":[{"a":1}],"\\u0061":{}}' }, /the key "a" twice/],
    ['a metadata key named twice', { header: '{"__metadata__":{"x":"}\\"","x":""}}' }, /the key "x" twice/],
  ];
  for (const [what, file, message] of raw) {
    it(`refuses ${what}`, async () => {
      await writeRawFile(path, file);
      await assertRejected(message);
    });
  }

  const contents: [string, string | Uint8Array, RegExp][] = [
    ['an empty file', '', /has 0\. It is likely an empty file/],
    ['a file of 5 bytes', Uint8Array.of(5, 0, 0, 0, 0), /has 5\. It is likely a file that was cut off/],
    ['text that is not UTF-8', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0xff), /not UTF-8/],
    ['a zip archive', `PK\u0003\u0004${'\0'.repeat(40)}`, /likely a zip archive, as PyTorch/],
    ['a pickle', Uint8Array.of(0x80, 2, 0x8a, 10, 0, 0, 0, 0, 0, 0), /likely a Python pickle/],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0', /git lfs pull/],
    ['a web page', '<!DOCTYPE html><title>404</title>', /likely a web page/],
    ['an index', '{ "metadata": {} }', /likely a JSON file/],
  ];
  for (const [what, content, message] of contents) {
    it(`says what ${what} is`, async () => {
      await writeFile(path, content);
      await assertRejected(message);
    });
  }

  it('notices every length at which a file can be cut off', async () => {
    await writeSafetensors(path, [{ name: 'a', shape: [2], data: Float32Array.of(1, 2) }], { epoch: '1' });
    const { headerBytes, dataBytes } = await readHeader(path);
    for (let length = 8 + headerBytes + dataBytes - 1; length >= 0; length--) {
      await truncate(path, length);
      await assertRejected(/cut off|empty file/);
    }
  });

  it('reads a header of 10,000 tensors', async () => {
    const tensors = Array.from(
      { length: 10_000 },
      (_, i) => [`layer.${i}`, tensor('U8', [1], i, i + 1)] as const,
    );
    await writeRawFile(path, { header: Object.fromEntries(tensors), dataBytes: 10_000 });
    assert.equal((await readHeader(path)).tensors.length, 10_000);
  });

  it('tells a missing file and a folder from a broken one', async () => {
    await assert.rejects(readHeader(path), { code: 'ENOENT' });
    await assert.rejects(readHeader(folder.path), /this is a folder/);
  });
});
