import * as v from 'valibot';
import { parse } from '../../protocol/schema';
import { findDuplicateKey } from './duplicateKey';
import type { SafetensorsHeader, TensorInfo } from './format';
import { dtypeBits, elementCount, isDtype, metadataKey, SafetensorsError } from './format';

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const tensorSchema = v.object({
  dtype: v.string(),
  shape: v.array(size),
  data_offsets: v.strictTuple([size, size]),
});

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Why `text` is no JSON object with distinct keys, or the object's entries. */
function objectEntries(text: string): [string, unknown][] | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return `the header is not JSON (${error instanceof Error ? error.message : String(error)}): the file is damaged`;
  }
  if (!isObject(json)) {
    return 'the header must be a JSON object: the file was not written as safetensors';
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) {
    return `the header has the key "${duplicate}" twice, so that what it means depends on the reader`;
  }
  return Object.entries(json);
}

function parseMetadata(path: string, value: unknown): Record<string, string> {
  if (!isObject(value)) {
    throw new SafetensorsError(path, `"${metadataKey}" must be an object of strings`);
  }
  // fromEntries defines own properties, so that the key "__proto__" stays a key.
  return Object.fromEntries(
    Object.entries(value).map(([key, text]: [string, unknown]): [string, string] => {
      if (typeof text !== 'string') {
        throw new SafetensorsError(
          path,
          `the metadata "${key}" must be a string, but is ${JSON.stringify(text)}`,
        );
      }
      return [key, text];
    }),
  );
}

function parseTensor(path: string, name: string, value: unknown): TensorInfo {
  let entry: v.InferOutput<typeof tensorSchema>;
  try {
    entry = parse(tensorSchema, value, `tensor "${name}"`);
  } catch (error) {
    throw new SafetensorsError(path, error instanceof Error ? error.message : String(error));
  }
  const { dtype, shape } = entry;
  const [begin, end] = entry.data_offsets;
  if (!isDtype(dtype)) {
    const known = Object.keys(dtypeBits).join(', ');
    throw new SafetensorsError(path, `tensor "${name}" has the unknown dtype "${dtype}"; known are ${known}`);
  }
  const bytes = (elementCount(shape) * dtypeBits[dtype]) / 8;
  if (end - begin !== bytes) {
    throw new SafetensorsError(
      path,
      `tensor "${name}" of dtype ${dtype} and shape [${shape.join(', ')}] needs ${bytes} bytes, ` +
        `but its offsets ${begin} to ${end} hold ${end - begin}: the header is wrong`,
    );
  }
  return { name, dtype, shape, bytes, offset: begin };
}

/** The tensors must cover the data from its first byte on, each beginning where the one before it ends. */
function checkLayout(path: string, tensors: readonly TensorInfo[]): number {
  let end = 0;
  let before = '';
  for (const { name, offset, bytes } of tensors) {
    if (offset !== end) {
      const what = offset < end ? `overlaps "${before}"` : `leaves a gap of ${offset - end} bytes before it`;
      throw new SafetensorsError(
        path,
        `tensor "${name}" ${what}: it begins at ${offset}, but must begin at ${end}; the header is wrong`,
      );
    }
    end += bytes;
    before = name;
  }
  return end;
}

/**
 * Reads the header's JSON and checks all of it: keys, dtypes, shapes, and that the tensors lie side by side.
 * @param path for error messages only
 * @throws SafetensorsError
 */
export function parseHeader(path: string, json: Uint8Array): SafetensorsHeader {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json);
  } catch {
    throw new SafetensorsError(
      path,
      'the header is not UTF-8 text: the file is damaged or not a safetensors file',
    );
  }
  const entries = objectEntries(text);
  if (typeof entries === 'string') {
    throw new SafetensorsError(path, entries);
  }
  const metadata = entries.find(([key]) => key === metadataKey)?.[1];
  const tensors = entries
    .filter(([key]) => key !== metadataKey)
    .map(([name, value]) => parseTensor(path, name, value))
    // An empty tensor comes before the one that shares its offset.
    .sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  return {
    metadata: metadata === undefined ? {} : parseMetadata(path, metadata),
    tensors,
    headerBytes: json.byteLength,
    dataBytes: checkLayout(path, tensors),
  };
}
