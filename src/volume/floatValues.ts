/** Element types that can be read as numbers, by the names that safetensors gives them; all little endian. */
const readers = {
  F64: { bytes: 8, read: (view: DataView, at: number) => view.getFloat64(at, true) },
  F32: { bytes: 4, read: (view: DataView, at: number) => view.getFloat32(at, true) },
  F16: { bytes: 2, read: (view: DataView, at: number) => half(view.getUint16(at, true)) },
  BF16: { bytes: 2, read: (view: DataView, at: number) => bfloat(view.getUint16(at, true)) },
  I64: { bytes: 8, read: (view: DataView, at: number) => Number(view.getBigInt64(at, true)) },
  I32: { bytes: 4, read: (view: DataView, at: number) => view.getInt32(at, true) },
  I16: { bytes: 2, read: (view: DataView, at: number) => view.getInt16(at, true) },
  I8: { bytes: 1, read: (view: DataView, at: number) => view.getInt8(at) },
  U8: { bytes: 1, read: (view: DataView, at: number) => view.getUint8(at) },
  BOOL: { bytes: 1, read: (view: DataView, at: number) => (view.getUint8(at) === 0 ? 0 : 1) },
} as const;

export type NumericDtype = keyof typeof readers;

export function isNumericDtype(name: string): name is NumericDtype {
  return Object.hasOwn(readers, name);
}

/** Bytes of one element. */
export function bytesOf(dtype: NumericDtype): number {
  return readers[dtype].bytes;
}

/** All elements as float32, rounded where the type is wider. @param bytes a whole number of elements */
export function toFloat32(dtype: NumericDtype, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  if (dtype === 'F32') {
    // Copied, since the bytes need not be aligned; a Buffer's own slice would not copy.
    return new Float32Array(new Uint8Array(bytes).buffer);
  }
  const { bytes: size, read } = readers[dtype];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / size }, (_, index) => read(view, index * size));
}

const word = new DataView(new ArrayBuffer(4));

/** bfloat16 is the upper half of a float32. */
function bfloat(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

/** IEEE 754 binary16: 1 bit sign, 5 bits exponent, 10 bits fraction. */
function half(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) {
    return fraction === 0 ? sign * Infinity : NaN;
  }
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
