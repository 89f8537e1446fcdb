import type { Variation } from './augmentation';

/**
 * Looks up every output pixel in the image, between four pixels in proportion; beyond its edges the image goes on
 * mirrored.
 *
 * @param images RGB bytes; the image begins at `offset`, shape [size, size, 3]
 * @param out RGB, 0 to 255, shape [size, size, 3]
 */
export function sampleImage(
  images: Uint8Array,
  offset: number,
  size: number,
  place: Variation,
  out: Float32Array,
): void {
  if (place.xy === 0 && place.yx === 0) sampleCrop(images, offset, size, place, out);
  else sampleAnywhere(images, offset, size, place, out);
}

/** Without rotation, rows and columns are done one after the other. */
function sampleCrop(
  images: Uint8Array,
  offset: number,
  size: number,
  { xx, x0, yy, y0 }: Variation,
  out: Float32Array,
): void {
  const columns = taps(size, xx, x0);
  const rows = taps(size, yy, y0);
  const rowLength = size * 3;
  let upper = new Float32Array(rowLength);
  let lower = new Float32Array(rowLength);
  let [upperRow, lowerRow] = [-1, -1];
  for (let y = 0; y < size; y++) {
    const above = rows.first[y] ?? 0;
    const below = rows.second[y] ?? 0;
    if (lowerRow === above) {
      // Going down, the lower line of one row is often the upper of the next.
      [upper, lower] = [lower, upper];
      [upperRow, lowerRow] = [lowerRow, upperRow];
    }
    if (upperRow !== above) sampleRow(images, offset + above * rowLength, columns, upper);
    if (lowerRow !== below) sampleRow(images, offset + below * rowLength, columns, lower);
    [upperRow, lowerRow] = [above, below];
    mixRows(upper, lower, rows.share[y] ?? 0, out, y * rowLength);
  }
}

function sampleRow(
  images: Uint8Array,
  from: number,
  { first, second, share }: Taps,
  line: Float32Array,
): void {
  for (let x = 0, to = 0; to < line.length; x++, to += 3) {
    const left = from + (first[x] ?? 0) * 3;
    const right = from + (second[x] ?? 0) * 3;
    const part = share[x] ?? 0;
    const r = images[left] ?? 0;
    const g = images[left + 1] ?? 0;
    const b = images[left + 2] ?? 0;
    line[to] = r + part * ((images[right] ?? 0) - r);
    line[to + 1] = g + part * ((images[right + 1] ?? 0) - g);
    line[to + 2] = b + part * ((images[right + 2] ?? 0) - b);
  }
}

function mixRows(
  upper: Float32Array,
  lower: Float32Array,
  share: number,
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < upper.length; i++, to++) {
    const value = upper[i] ?? 0;
    out[to] = value + share * ((lower[i] ?? 0) - value);
  }
}

type Taps = { readonly first: Int32Array; readonly second: Int32Array; readonly share: Float32Array };

/** For each output position the two neighbours in the input, and the second's share. */
function taps(size: number, step: number, start: number): Taps {
  const [first, second, share] = [new Int32Array(size), new Int32Array(size), new Float32Array(size)];
  for (let i = 0; i < size; i++) {
    const at = (i + 0.5) * step + start - 0.5;
    const low = Math.floor(at);
    first[i] = mirror(low, size);
    second[i] = mirror(low + 1, size);
    share[i] = at - low;
  }
  return { first, second, share };
}

function sampleAnywhere(
  images: Uint8Array,
  offset: number,
  size: number,
  place: Variation,
  out: Float32Array,
): void {
  const { xx, xy, x0, yx, yy, y0 } = place;
  const last = size - 1;
  let to = 0;
  for (let row = 0; row < size; row++) {
    let x = 0.5 * xx + (row + 0.5) * xy + x0 - 0.5;
    let y = 0.5 * yx + (row + 0.5) * yy + y0 - 0.5;
    for (let column = 0; column < size; column++, to += 3, x += xx, y += yx) {
      const lowX = Math.floor(x);
      const lowY = Math.floor(y);
      const across = x - lowX;
      const down = y - lowY;
      let left = lowX;
      let right = lowX + 1;
      let above = lowY;
      let below = lowY + 1;
      if (lowX < 0 || lowX >= last || lowY < 0 || lowY >= last) {
        left = mirror(left, size);
        right = mirror(right, size);
        above = mirror(above, size);
        below = mirror(below, size);
      }
      const p = offset + (above * size + left) * 3;
      const q = offset + (above * size + right) * 3;
      const s = offset + (below * size + left) * 3;
      const t = offset + (below * size + right) * 3;
      const d = down * across;
      const c = down - d;
      const b = across - d;
      const a = 1 - across - c;
      out[to] = a * (images[p] ?? 0) + b * (images[q] ?? 0) + c * (images[s] ?? 0) + d * (images[t] ?? 0);
      out[to + 1] =
        a * (images[p + 1] ?? 0) +
        b * (images[q + 1] ?? 0) +
        c * (images[s + 1] ?? 0) +
        d * (images[t + 1] ?? 0);
      out[to + 2] =
        a * (images[p + 2] ?? 0) +
        b * (images[q + 2] ?? 0) +
        c * (images[s + 2] ?? 0) +
        d * (images[t + 2] ?? 0);
    }
  }
}

/** The pixel that is seen at `at` where the image goes on mirrored: -1 is 0, `size` is `size` - 1. */
function mirror(at: number, size: number): number {
  if (at >= 0 && at < size) return at;
  const period = 2 * size;
  const wrapped = ((at % period) + period) % period;
  return wrapped < size ? wrapped : period - 1 - wrapped;
}
