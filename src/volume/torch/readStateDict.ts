import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { bytesOf, toFloat32 } from '../floatValues';
import type { TensorData } from '../safetensors';
import { elementCount } from '../safetensors';
import type { TorchTensor } from './globals';
import { storageBytes, torchHandlers } from './globals';
import { readPickle } from './pickle';
import { findStateDict } from './stateDict';
import { TorchFileError } from './torchError';
import { ZipArchive } from './zipArchive';

/** More is no state dict's description, but would fill the memory. */
const MAX_PICKLE_BYTES = 256 * 1024 * 1024;

/** The tensors of an opened file. Their values are read on demand. */
export interface TorchStateDict {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Values as float32, in the order asked for. @throws TorchFileError for a name that is missing or values that are no numbers */
  read(names: readonly string[]): Promise<TensorData[]>;
}

/**
 * Opens a state dict, or a checkpoint that holds one, as `torch.save` writes it since PyTorch 1.6, for as long as
 * `use` runs. The pickle in it is read as data; nothing is executed.
 * @throws TorchFileError for other files, naming what to do; the file system's error when it cannot be opened
 */
export async function withTorchStateDict<T>(
  path: string,
  use: (dict: TorchStateDict) => Promise<T>,
): Promise<T> {
  const handle = await open(path, 'r');
  try {
    await checkFormat(path, handle);
    const archive = await ZipArchive.open(path, handle);
    const { root, tensors } = await readDescription(path, archive);
    return await use({
      shapes: new Map([...tensors].map(([name, { shape }]) => [name, shape])),
      read: (names) => readTensors({ path, archive, root }, tensors, names),
    });
  } finally {
    await handle.close();
  }
}

async function checkFormat(path: string, handle: FileHandle): Promise<void> {
  const start = Buffer.alloc(4);
  const { bytesRead } = await handle.read(start, 0, 4, 0);
  if (bytesRead < 4) {
    throw new TorchFileError(path, 'the file is empty: it was never written, or not downloaded');
  }
  if (start[0] === 0x80) {
    throw new TorchFileError(
      path,
      'the file was written by a PyTorch before 1.6, or with its old format. Load it there and save it again: ' +
        'torch.save(torch.load(path), path).',
    );
  }
  if (start.readUInt32LE(0) !== 0x04034b50) {
    throw new TorchFileError(path, 'this is no file of torch.save: it does not begin as a zip archive');
  }
}

async function readDescription(
  path: string,
  archive: ZipArchive,
): Promise<{ root: string; tensors: ReadonlyMap<string, TorchTensor> }> {
  if (archive.names.some((name) => name.includes('/code/'))) {
    throw new TorchFileError(path, 'it is a TorchScript archive; save the state_dict instead');
  }
  const description = archive.names.find((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (description === undefined) {
    throw new TorchFileError(path, 'the archive holds no data.pkl: it is no file of torch.save');
  }
  const root = description.slice(0, -'data.pkl'.length);
  if (archive.bytesOf(`${root}byteorder`) !== undefined) {
    const order = Buffer.from(await archive.read(`${root}byteorder`)).toString('latin1');
    if (order !== 'little') {
      throw new TorchFileError(path, `its numbers are in the byte order "${order}"; only little can be read`);
    }
  }
  if ((archive.bytesOf(description) ?? 0) > MAX_PICKLE_BYTES) {
    throw new TorchFileError(path, 'its description of tensors is too long: the file is damaged');
  }
  const pickle = await archive.read(description);
  let value: unknown;
  try {
    value = readPickle(pickle, torchHandlers);
  } catch (error) {
    throw new TorchFileError(path, error instanceof Error ? error.message : String(error));
  }
  const tensors = findStateDict(value);
  if (tensors === undefined) {
    throw new TorchFileError(path, 'it holds no state dict: expected a dictionary of tensors');
  }
  return { root, tensors };
}

async function readTensors(
  { path, archive, root }: { path: string; archive: ZipArchive; root: string },
  tensors: ReadonlyMap<string, TorchTensor>,
  names: readonly string[],
): Promise<TensorData[]> {
  const values = new Map<string, Uint8Array>();
  const result: TensorData[] = [];
  for (const name of names) {
    const tensor = tensors.get(name);
    if (tensor === undefined) {
      throw new TorchFileError(path, `there is no tensor "${name}" in the file`);
    }
    const { storage } = tensor;
    const entry = `${root}data/${storage.key}`;
    const bytes = values.get(entry) ?? (await archive.read(entry));
    values.set(entry, bytes);
    if (bytes.byteLength < storageBytes(storage)) {
      throw new TorchFileError(path, `the values of "${name}" are cut off: the file is damaged`);
    }
    result.push({ name, shape: tensor.shape, data: gather(path, name, tensor, bytes) });
  }
  return result;
}

/** A view's values in row-major order. */
function gather(path: string, name: string, tensor: TorchTensor, bytes: Uint8Array): Float32Array {
  const { storage, offset, shape, strides } = tensor;
  if (storage.dtype === undefined) {
    throw new TorchFileError(path, `tensor "${name}" holds complex numbers, which cannot be read`);
  }
  const size = bytesOf(storage.dtype);
  const count = elementCount(shape);
  if (isContiguous(tensor)) {
    return toFloat32(storage.dtype, bytes.subarray(offset * size, (offset + count) * size));
  }
  const source = toFloat32(storage.dtype, bytes.subarray(0, storage.elements * size));
  const index = shape.map(() => 0);
  const target = new Float32Array(count);
  let from = offset;
  for (let to = 0; to < count; to += 1) {
    target[to] = source[from] ?? NaN;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      const stride = strides[axis] ?? 0;
      const next = (index[axis] ?? 0) + 1;
      from += stride;
      if (next < (shape[axis] ?? 0)) {
        index[axis] = next;
        break;
      }
      from -= next * stride;
      index[axis] = 0;
    }
  }
  return target;
}

function isContiguous({ shape, strides }: TorchTensor): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const extent = shape[axis] ?? 0;
    if (extent !== 1 && strides[axis] !== expected) {
      return extent === 0;
    }
    expected *= extent;
  }
  return true;
}
