export interface PrincipalAxes {
  /** Largest first. */
  readonly variances: readonly number[];
  /** A unit vector for each variance. */
  readonly axes: readonly Float64Array[];
}

/** Rotations leave next to nothing after six or seven sweeps of matrices of this size. */
const MOST_SWEEPS = 30;

/**
 * Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's rotations, which are exact enough for matrices of a few
 * dozen rows and the same on every machine.
 * @param matrix row-major [size, size]
 */
export function principalAxes(matrix: Float64Array, size: number): PrincipalAxes {
  const a = matrix.slice();
  /** Row k becomes the k-th eigenvector. */
  const vectors = new Float64Array(size * size);
  for (let k = 0; k < size; k += 1) {
    vectors[k * size + k] = 1;
  }
  const limit = squareSum(a) * 1e-24;
  for (let sweep = 0; sweep < MOST_SWEEPS && offDiagonal(a, size) > limit; sweep += 1) {
    for (let p = 0; p < size; p += 1) {
      for (let q = p + 1; q < size; q += 1) {
        const { cos, sin } = rotation(at(a, p * size + p), at(a, q * size + q), at(a, p * size + q));
        rotate(a, { first: p, second: q, step: size, size, cos, sin });
        rotate(a, { first: p * size, second: q * size, step: 1, size, cos, sin });
        rotate(vectors, { first: p * size, second: q * size, step: 1, size, cos, sin });
      }
    }
  }
  const order = Array.from({ length: size }, (_, k) => k).sort(
    (k, other) => at(a, other * size + other) - at(a, k * size + k) || k - other,
  );
  return {
    variances: order.map((k) => at(a, k * size + k)),
    axes: order.map((k) => vectors.slice(k * size, (k + 1) * size)),
  };
}

/** Cosine and sine that make the element (p, q) zero (Golub and Van Loan, "Matrix Computations", 8.5). */
function rotation(pp: number, qq: number, pq: number): { cos: number; sin: number } {
  if (pq === 0) {
    return { cos: 1, sin: 0 };
  }
  const tau = (qq - pp) / (2 * pq);
  const tan = tau >= 0 ? 1 / (tau + Math.sqrt(1 + tau * tau)) : 1 / (tau - Math.sqrt(1 + tau * tau));
  const cos = 1 / Math.sqrt(1 + tan * tan);
  return { cos, sin: tan * cos };
}

interface Rotation {
  readonly first: number;
  readonly second: number;
  /** From one element of a row or column to the next. */
  readonly step: number;
  readonly size: number;
  readonly cos: number;
  readonly sin: number;
}

/** Turns two rows or columns into each other. */
function rotate(values: Float64Array, { first, second, step, size, cos, sin }: Rotation): void {
  for (let k = 0; k < size; k += 1) {
    const x = at(values, first + k * step);
    const y = at(values, second + k * step);
    values[first + k * step] = cos * x - sin * y;
    values[second + k * step] = sin * x + cos * y;
  }
}

function squareSum(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}

function offDiagonal(values: Float64Array, size: number): number {
  return values.reduce((sum, value, place) => (place % (size + 1) === 0 ? sum : sum + value * value), 0);
}

function at(values: Float64Array, place: number): number {
  return values[place] ?? 0;
}
