import { writeFileAtomic } from '../atomicFile';
import { elementCount, maxHeaderBytes, metadataKey, prefixBytes, SafetensorsError } from './format';

export interface TensorData {
  name: string;
  /** Empty for a scalar. */
  shape: readonly number[];
  /** Row-major values, as many as the shape says. */
  data: Float32Array;
}

function checkTensors(path: string, tensors: readonly TensorData[]): void {
  const names = new Set([metadataKey]);
  for (const { name, shape, data } of tensors) {
    if (names.has(name)) {
      throw new SafetensorsError(
        path,
        name === metadataKey ? `a tensor cannot be named "${name}"` : `two tensors are named "${name}"`,
      );
    }
    names.add(name);
    if (
      !shape.every((size) => Number.isSafeInteger(size) && size >= 0) ||
      elementCount(shape) !== data.length
    ) {
      throw new SafetensorsError(
        path,
        `tensor "${name}" has ${data.length} values, which do not fill the shape [${shape.join(', ')}]`,
      );
    }
  }
}

/** Length and JSON of the header, padded so that the data begins at a multiple of 8 bytes. */
function encodeHeader(
  path: string,
  tensors: readonly TensorData[],
  metadata: Readonly<Record<string, string>>,
): Buffer {
  let offset = 0;
  // Joined by hand: a JavaScript object would move names such as "0" to its front and swallow "__proto__".
  const entries = tensors.map(({ name, shape, data }) => {
    const begin = offset;
    offset += data.byteLength;
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype: 'F32', shape, data_offsets: [begin, offset] })}`;
  });
  entries.unshift(`${JSON.stringify(metadataKey)}:${JSON.stringify(metadata)}`);
  const json = Buffer.from(`{${entries.join(',')}}`);
  const headerBytes = Math.ceil(json.byteLength / 8) * 8;
  if (headerBytes > maxHeaderBytes) {
    throw new SafetensorsError(
      path,
      `the header would have ${headerBytes} bytes; the limit is ${maxHeaderBytes}`,
    );
  }
  const header = Buffer.alloc(prefixBytes + headerBytes, ' ');
  header.writeBigUInt64LE(BigInt(headerBytes), 0);
  json.copy(header, prefixBytes);
  return header;
}

/**
 * Writes float32 tensors in the order given, whole or not at all; an old file at `path` is replaced only by a complete
 * new one. The same arguments give the same bytes. The arrays must not change before the promise settles.
 * @throws SafetensorsError when names or shapes are wrong, before anything is written; the file system's errors
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorData[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  checkTensors(path, tensors);
  const header = encodeHeader(path, tensors, metadata);
  const chunks = tensors.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  await writeFileAtomic(path, [header, ...chunks]);
}
