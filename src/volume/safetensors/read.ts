import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { isNumericDtype, toFloat32 } from '../floatValues';
import type { Dtype, SafetensorsHeader, TensorInfo } from './format';
import { maxHeaderBytes, prefixBytes, SafetensorsError } from './format';
import { parseHeader } from './header';
import { likelyFormat } from './likelyFormat';

/** A tensor with its values in row-major order, as float32 whatever their type in the file. */
export interface Tensor {
  dtype: Dtype;
  shape: number[];
  data: Float32Array<ArrayBuffer>;
}

async function readFully(
  path: string,
  handle: FileHandle,
  position: number,
  bytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const target = new Uint8Array(bytes);
  for (let done = 0; done < bytes;) {
    const { bytesRead } = await handle.read(target, done, bytes - done, position + done);
    if (bytesRead === 0) {
      throw new SafetensorsError(
        path,
        'the file became shorter while it was read: read it again once it is written',
      );
    }
    done += bytesRead;
  }
  return target;
}

/** Length of the header, checked before anything is allocated for it. */
async function readHeaderBytes(path: string, handle: FileHandle, fileBytes: number): Promise<number> {
  const start = await readFully(path, handle, 0, Math.min(fileBytes, 32));
  const likely = likelyFormat(start);
  if (fileBytes < prefixBytes) {
    const found =
      likely ?? (fileBytes === 0 ? 'an empty file: it was never written' : 'a file that was cut off');
    throw new SafetensorsError(
      path,
      `a safetensors file begins with the length of its header in ${prefixBytes} bytes, but the file has ${fileBytes}. It is likely ${found}.`,
    );
  }
  const headerBytes = Buffer.from(start.buffer).readBigUInt64LE(0);
  // A header begins with "{"; where it does not, the 8 bytes before it are not its length either.
  const looksRight = fileBytes === prefixBytes || start[prefixBytes] === 0x7b;
  if (likely !== undefined && !looksRight) {
    throw new SafetensorsError(path, `this is not a safetensors file, but likely ${likely}.`);
  }
  if (headerBytes > BigInt(maxHeaderBytes)) {
    throw new SafetensorsError(
      path,
      `the file claims a header of ${headerBytes.toString()} bytes, more than the limit of ${maxHeaderBytes}. ` +
        `It is likely ${likely ?? 'not a safetensors file, or damaged'}.`,
    );
  }
  return Number(headerBytes);
}

async function readHeaderFrom(path: string, handle: FileHandle): Promise<SafetensorsHeader> {
  const stat = await handle.stat();
  if (!stat.isFile()) {
    throw new SafetensorsError(path, 'a file was expected, but this is a folder or a device');
  }
  const headerBytes = await readHeaderBytes(path, handle, stat.size);
  const dataStart = prefixBytes + headerBytes;
  if (stat.size < dataStart) {
    throw new SafetensorsError(
      path,
      `the file ends after ${stat.size} bytes, inside its header, which reaches to ${dataStart}: it was cut off; copy or download it again`,
    );
  }
  const header = parseHeader(path, await readFully(path, handle, prefixBytes, headerBytes));
  const expectedBytes = dataStart + header.dataBytes;
  if (stat.size < expectedBytes) {
    throw new SafetensorsError(
      path,
      `the file ends after ${stat.size} of ${expectedBytes} bytes: it was cut off; copy or download it again`,
    );
  }
  if (stat.size > expectedBytes) {
    throw new SafetensorsError(
      path,
      `the file has ${stat.size} bytes, but its tensors end at ${expectedBytes}: something was appended, or the header belongs to another file`,
    );
  }
  return header;
}

/** Opens `path` once, so that header and data come from one file even when it is replaced meanwhile. */
async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, 'r');
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

/**
 * Reads and checks the header alone; the data is never touched, so that the time does not depend on its size.
 * @throws SafetensorsError for a file that breaks the format; the file system's error when it cannot be opened
 */
export function readHeader(path: string): Promise<SafetensorsHeader> {
  return withFile(path, (handle) => readHeaderFrom(path, handle));
}

function select(path: string, header: SafetensorsHeader, names: readonly string[] | undefined): TensorInfo[] {
  if (names === undefined) {
    return header.tensors;
  }
  const byName = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  return names.map((name) => {
    const tensor = byName.get(name);
    if (!tensor) {
      throw new SafetensorsError(path, `there is no tensor "${name}" in the file`);
    }
    return tensor;
  });
}

/**
 * Reads the values of the named tensors, or of all, in the order asked for.
 * @throws SafetensorsError also for a name that is missing and a dtype that is no plain number
 */
export function readTensors(path: string, names?: readonly string[]): Promise<Map<string, Tensor>> {
  return withFile(path, async (handle) => {
    const header = await readHeaderFrom(path, handle);
    const dataStart = prefixBytes + header.headerBytes;
    const tensors = new Map<string, Tensor>();
    for (const { name, dtype, shape, bytes, offset } of select(path, header, names)) {
      if (!isNumericDtype(dtype)) {
        throw new SafetensorsError(
          path,
          `tensor "${name}" has the dtype ${dtype}, whose values cannot be read`,
        );
      }
      const data = await readFully(path, handle, dataStart + offset, bytes);
      tensors.set(name, { dtype, shape, data: toFloat32(dtype, data) });
    }
    return tensors;
  });
}
