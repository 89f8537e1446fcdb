/**
 * The safetensors format: 8 bytes with the header's length (u64, little endian), the header (JSON, padded with
 * spaces), then the tensors' bytes without gaps. https://github.com/huggingface/safetensors#format
 */

/** Bits of one element. Sub-byte types are packed. */
export const dtypeBits = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U64: 64,
  U32: 32,
  U16: 16,
  U8: 8,
  BOOL: 8,
  C64: 64,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
} as const;

export type Dtype = keyof typeof dtypeBits;

export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(dtypeBits, name);
}

/** Length of the field that holds the header's length. */
export const prefixBytes = 8;

/** The reference implementation refuses a longer header, so that a wrong length cannot fill the memory. */
export const maxHeaderBytes = 100_000_000;

export const metadataKey = '__metadata__';

export interface TensorInfo {
  name: string;
  dtype: Dtype;
  /** Empty for a scalar. */
  shape: number[];
  bytes: number;
  /** First byte, counted from the end of the header. */
  offset: number;
}

export interface SafetensorsHeader {
  metadata: Record<string, string>;
  /** In the order of their bytes in the file. */
  tensors: TensorInfo[];
  /** Length of the JSON with its padding, without the 8 bytes before it. */
  headerBytes: number;
  dataBytes: number;
}

/** A file that is not what the format demands. `message` names the file, what was expected and the likely cause. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path}: ${problem}`);
  }
}

/** Number of elements of a tensor: 1 for a scalar. May exceed the safe integers for nonsense shapes. */
export function elementCount(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
}
