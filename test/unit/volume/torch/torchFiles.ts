import { writeFile } from 'node:fs/promises';
import { deflateRawSync } from 'node:zlib';

/** Parts of a pickle, protocol 2, as `torch.save` writes it. */
export const op = {
  text: (value: string): Buffer => {
    const bytes = Buffer.from(value);
    const head = Buffer.alloc(5, 'X');
    head.writeUInt32LE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  },
  int: (value: number): Buffer => {
    const bytes = Buffer.alloc(5, 'J');
    bytes.writeInt32LE(value, 1);
    return bytes;
  },
  global: (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`),
  tuple: (...items: Buffer[]): Buffer => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]),
  call: (callee: Buffer, ...args: Buffer[]): Buffer =>
    Buffer.concat([callee, op.tuple(...args), Buffer.from('R')]),
  dict: (entries: readonly (readonly [string, Buffer])[]): Buffer =>
    Buffer.concat([
      Buffer.from('}('),
      ...entries.map(([key, value]) => Buffer.concat([op.text(key), value])),
      Buffer.from('u'),
    ]),
  whole: (value: Buffer): Buffer => Buffer.concat([Buffer.from([0x80, 2]), value, Buffer.from('.')]),
};

const FALSE = Buffer.from([0x89]);

/** `_rebuild_tensor_v2` of a view into the storage `key`. */
export function tensor(
  type: string,
  key: string,
  elements: number,
  { offset = 0, shape, strides }: { offset?: number; shape: number[]; strides: number[] },
): Buffer {
  const id = op.tuple(
    op.text('storage'),
    op.global('torch', type),
    op.text(key),
    op.text('cpu'),
    op.int(elements),
  );
  return op.call(
    op.global('torch._utils', '_rebuild_tensor_v2'),
    Buffer.concat([id, Buffer.from('Q')]),
    op.int(offset),
    op.tuple(...shape.map(op.int)),
    op.tuple(...strides.map(op.int)),
    FALSE,
    op.call(op.global('collections', 'OrderedDict')),
  );
}

/** A tensor by itself in row-major order. */
export const plain = (type: string, key: string, shape: number[]): Buffer =>
  tensor(
    type,
    key,
    shape.reduce((product, extent) => product * extent, 1),
    {
      shape,
      strides: shape.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * extent, 1)),
    },
  );

export const floats = (...values: number[]): Buffer => Buffer.from(new Float32Array(values).buffer);

/** Writes a zip file as `torch.save` does. */
export async function writeTorchFile(
  path: string,
  pickle: Buffer,
  storages: Readonly<Record<string, Buffer>>,
  { deflate = false, more = {} }: { deflate?: boolean; more?: Readonly<Record<string, Buffer>> } = {},
): Promise<void> {
  await writeFile(
    path,
    zip(
      {
        'archive/data.pkl': pickle,
        ...Object.fromEntries(Object.entries(storages).map(([key, value]) => [`archive/data/${key}`, value])),
        'archive/version': Buffer.from('3\n'),
        ...more,
      },
      deflate,
    ),
  );
}

function zip(entries: Readonly<Record<string, Buffer>>, deflate: boolean): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(entries)) {
    const stored = deflate ? deflateRawSync(content) : content;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(deflate ? 8 : 0, 4);
    common.writeUInt32LE(stored.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, Buffer.from(name), stored]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.alloc(2), common, tail, Buffer.from(name)]),
    );
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006');
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}
