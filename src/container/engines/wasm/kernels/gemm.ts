import type { WasmContext } from '../context';

/** A matrix at a byte address; `transposed` means that it is stored by columns. */
export interface Matrix {
  readonly address: number;
  readonly rows: number;
  readonly columns: number;
  readonly transposed?: boolean;
}

/** Bytes of scratch for a product with `columns` result columns and an inner dimension of `depth`. */
export function multiplyScratchBytes({ kernels }: WasmContext, columns: number, depth: number): number {
  return kernels.gemmScratchBytes(columns, depth);
}

/** Writes a * b (or adds it) to the contiguous matrix at `out`; `scratch` has {@link multiplyScratchBytes} bytes. */
export function multiply(
  { kernels }: WasmContext,
  a: Matrix,
  b: Matrix,
  out: number,
  scratch: number,
  accumulate = false,
): void {
  const strides = (matrix: Matrix): [number, number] =>
    matrix.transposed ? [4, matrix.rows * 4] : [matrix.columns * 4, 4];
  kernels.gemm(
    a.address,
    ...strides(a),
    b.address,
    ...strides(b),
    out,
    b.columns * 4,
    a.rows,
    b.columns,
    a.columns,
    scratch,
    accumulate,
  );
}
