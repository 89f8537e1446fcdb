import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TorchFileError, withTorchStateDict } from '../../../../src/volume/torch';
import { floats, op, plain, tensor, writeTorchFile } from './torchFiles';

describe('PyTorch state dicts', () => {
  let dir = '';
  let path = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'torch-'));
    path = join(dir, 'weights.pt');
  });
  after(() => rm(dir, { recursive: true }));

  /** Names, shapes and values of all tensors. */
  const readAll = (): Promise<[string, number[], number[]][]> =>
    withTorchStateDict(path, async (dict) => {
      const tensors = await dict.read([...dict.shapes.keys()]);
      return tensors.map(({ name, shape, data }) => [name, [...shape], [...data]]);
    });

  const refused = (message: RegExp): Promise<void> =>
    assert.rejects(readAll, (error) => {
      assert.ok(error instanceof TorchFileError, String(error));
      assert.match(error.message, message);
      return true;
    });

  it('are read with their names, shapes and values', async () => {
    const pickle = op.whole(
      op.dict([
        ['conv.weight', plain('FloatStorage', '0', [2, 1, 1, 2])],
        ['bn.num_batches_tracked', plain('LongStorage', '1', [])],
        ['none', plain('FloatStorage', '2', [0, 3])],
      ]),
    );
    const seven = Buffer.alloc(8);
    seven.writeBigInt64LE(7n);
    for (const deflate of [false, true]) {
      await writeTorchFile(
        path,
        pickle,
        { 0: floats(1, -2, 3.5, 4), 1: seven, 2: Buffer.alloc(0) },
        { deflate },
      );
      assert.deepEqual(await readAll(), [
        ['conv.weight', [2, 1, 1, 2], [1, -2, 3.5, 4]],
        ['bn.num_batches_tracked', [], [7]],
        ['none', [0, 3], []],
      ]);
    }
  });

  it('may hold views: transposed, shifted, repeated, of one storage', async () => {
    const view = (offset: number, shape: number[], strides: number[]): Buffer =>
      tensor('FloatStorage', '0', 6, { offset, shape, strides });
    const pickle = op.whole(
      op.dict([
        ['whole', view(0, [2, 3], [3, 1])],
        ['transposed', view(0, [3, 2], [1, 3])],
        ['column', view(1, [2], [3])],
        ['repeated', view(5, [2, 2], [0, 0])],
      ]),
    );
    await writeTorchFile(path, pickle, { 0: floats(0, 1, 2, 3, 4, 5) });
    assert.deepEqual(await readAll(), [
      ['whole', [2, 3], [0, 1, 2, 3, 4, 5]],
      ['transposed', [3, 2], [0, 3, 1, 4, 2, 5]],
      ['column', [2], [1, 4]],
      ['repeated', [2, 2], [5, 5, 5, 5]],
    ]);
  });

  it('may have numbers of half, double and other precision', async () => {
    const cases: [string, Buffer, number[]][] = [
      [
        'HalfStorage',
        Buffer.from(new Uint16Array([0x3c00, 0xc000, 0x0001, 0x7c00]).buffer),
        [1, -2, 2 ** -24, Infinity],
      ],
      ['BFloat16Storage', Buffer.from(new Uint16Array([0x3f80, 0xc040, 0, 0x3e80]).buffer), [1, -3, 0, 0.25]],
      ['DoubleStorage', Buffer.from(new Float64Array([1, 0.5, -4, 1e9]).buffer), [1, 0.5, -4, 1e9]],
      ['ByteStorage', Buffer.from([0, 1, 254, 255]), [0, 1, 254, 255]],
      ['BoolStorage', Buffer.from([0, 1, 1, 0]), [0, 1, 1, 0]],
    ];
    for (const [type, bytes, expected] of cases) {
      await writeTorchFile(path, op.whole(op.dict([['x', plain(type, '0', [4])]])), { 0: bytes });
      assert.deepEqual(await readAll(), [['x', [4], expected]], type);
    }
  });

  it('are found inside checkpoints and under the names that wrappers give', async () => {
    const weights = (prefix: string): Buffer =>
      op.dict([[`${prefix}fc.bias`, plain('FloatStorage', '0', [1])]]);
    const files = [
      op.dict([
        ['epoch', op.int(7)],
        ['model_state_dict', weights('')],
        ['optimizer', op.dict([])],
      ]),
      op.dict([['state_dict', weights('module.')]]),
      weights('module._orig_mod.'),
      op.dict([
        [
          'fc.bias',
          op.call(op.global('torch._utils', '_rebuild_parameter'), plain('FloatStorage', '0', [1])),
        ],
      ]),
    ];
    for (const file of files) {
      await writeTorchFile(path, op.whole(file), { 0: floats(3) });
      assert.deepEqual(await readAll(), [['fc.bias', [1], [3]]]);
    }
  });

  it('run nothing: what would is refused by its name', async () => {
    const witness = join(dir, 'witness');
    const system = op.call(op.global('posix', 'system'), op.text(`touch '${witness}'`));
    await writeTorchFile(path, op.whole(op.dict([['x', system]])), {});
    await refused(/asks for posix\.system.*Nothing of it was run/);
    assert.equal(existsSync(witness), false);
    for (const [module, name] of [
      ['builtins', 'eval'],
      ['torch', 'load'],
      ['collections', 'OrderedDict.fromkeys'],
    ] as const) {
      await writeTorchFile(path, op.whole(op.call(op.global(module, name), op.text('1'))), {});
      await refused(/ asks for (builtins\.eval|torch\.load|collections\.OrderedDict\.fromkeys), /);
    }
  });

  it('that are whole models, scripts or of old versions are refused, with what to do', async () => {
    await writeTorchFile(path, op.whole(op.call(op.global('torch.nn.modules.linear', 'Linear'))), {});
    await refused(/whole model \(torch\.nn\.modules\.linear\.Linear\).*state_dict/);
    const script = { more: { 'archive/code/__torch__.py': Buffer.alloc(1) } };
    await writeTorchFile(path, op.whole(op.dict([])), {}, script);
    await refused(/TorchScript/);
    await writeFile(path, Buffer.from([0x80, 2, 0x8a, 10]));
    await refused(/before 1\.6/);
    await writeFile(path, 'not a checkpoint');
    await refused(/no file of torch\.save/);
    await writeFile(path, '');
    await refused(/empty/);
  });

  it('that are damaged are refused', async () => {
    const good = op.whole(op.dict([['x', plain('FloatStorage', '0', [4])]]));
    await writeTorchFile(path, good, { 0: floats(1) });
    await refused(/values of "x" are cut off/);
    await writeTorchFile(path, good, {});
    await refused(/"archive\/data\/0" is missing/);
    await writeTorchFile(path, good, { 0: floats(1, 2, 3, 4) });
    await truncate(path, (await readFile(path)).length - 30);
    await refused(/end of the zip archive is missing/);
    await writeTorchFile(path, good.subarray(0, good.length - 8), { 0: floats(1, 2, 3, 4) });
    await refused(/ends too early|unknown instruction|mark/);
    const beyond = tensor('FloatStorage', '0', 4, { offset: 1, shape: [4], strides: [1] });
    await writeTorchFile(path, op.whole(op.dict([['x', beyond]])), { 0: floats(1, 2, 3, 4) });
    await refused(/beyond its storage/);
    await writeTorchFile(path, op.whole(op.dict([['x', op.int(1)]])), {});
    await refused(/no state dict/);
    await writeTorchFile(
      path,
      good,
      { 0: floats(1, 2, 3, 4) },
      { more: { 'archive/byteorder': Buffer.from('big') } },
    );
    await refused(/byte order "big"/);
  });

  it('with complex numbers can be opened, though these cannot be read', async () => {
    await writeTorchFile(path, op.whole(op.dict([['x', plain('ComplexFloatStorage', '0', [1])]])), {
      0: Buffer.alloc(8),
    });
    await refused(/"x" holds complex numbers/);
  });
});
