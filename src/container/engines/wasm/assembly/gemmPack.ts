/** Writes a 4 x 4 block, whose rows are x0 to x3, transposed: its columns go to `to`, 32 bytes apart. */
function storeTransposed(x0: v128, x1: v128, x2: v128, x3: v128, to: usize): void {
  const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(low01, low23, 0, 2));
  v128.store(to, v128.shuffle<f64>(low01, low23, 1, 3), 32);
  v128.store(to, v128.shuffle<f64>(high01, high23, 0, 2), 64);
  v128.store(to, v128.shuffle<f64>(high01, high23, 1, 3), 96);
}

/** Packs 8 columns of a matrix stored by columns (the row stride is one value). */
function packTransposed(b: usize, columnStride: usize, to: usize, k: i32): void {
  let row = 0;
  for (; row + 4 <= k; row += 4) {
    for (let half = 0; half < 2; half++) {
      const from = b + <usize>half * 4 * columnStride;
      const from2 = from + 2 * columnStride;
      storeTransposed(
        v128.load(from),
        v128.load(from + columnStride),
        v128.load(from2),
        v128.load(from2 + columnStride),
        to + ((<usize>half) << 4),
      );
    }
    b += 16;
    to += 128;
  }
  for (; row < k; row++) {
    for (let j: usize = 0; j < 8; j++) store<f32>(to + (j << 2), load<f32>(b + j * columnStride));
    b += 4;
    to += 32;
  }
}

/** Packs B[k, n] into panels of 8 columns, each with its k rows of 8 values in order; missing columns are zero. */
export function packColumns(
  b: usize,
  rowStride: usize,
  columnStride: usize,
  to: usize,
  k: i32,
  n: i32,
): void {
  for (let column = 0; column < n; column += 8) {
    const columns = min(8, n - column);
    let from = b + <usize>column * columnStride;
    if (columns === 8 && columnStride === 4) {
      for (let row = 0; row < k; row++) {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
        from += rowStride;
        to += 32;
      }
    } else if (columns === 8 && rowStride === 4) {
      packTransposed(from, columnStride, to, k);
      to += (<usize>k) << 5;
    } else {
      for (let row = 0; row < k; row++) {
        let at = from;
        let j = 0;
        for (; j < columns; j++) {
          store<f32>(to + ((<usize>j) << 2), load<f32>(at));
          at += columnStride;
        }
        for (; j < 8; j++) store<f32>(to + ((<usize>j) << 2), 0);
        from += rowStride;
        to += 32;
      }
    }
  }
}

/** Packs up to 6 rows of A, k columns long, so that each column's values are together, 24 bytes apart. */
export function packRows(
  a: usize,
  rowStride: usize,
  columnStride: usize,
  to: usize,
  k: i32,
  rows: i32,
): void {
  if (rows === 6 && rowStride === 4) {
    for (let column = 0; column < k; column++) {
      v128.store(to, v128.load(a));
      store<u64>(to, load<u64>(a, 16), 16);
      a += columnStride;
      to += 24;
    }
    return;
  }
  for (let column = 0; column < k; column++) {
    let from = a;
    for (let row = 0; row < rows; row++) {
      store<f32>(to + ((<usize>row) << 2), load<f32>(from));
      from += rowStride;
    }
    a += columnStride;
    to += 24;
  }
}
