import { bytes, madd } from './simd';

// The one-dimensional transforms of Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional Neural
// Networks", 2016) for a filter of 3: F(2, 3) works on 4 points, F(4, 3) on 6. Each reads vectors `stepFrom` bytes apart
// and writes vectors `stepTo` bytes apart, four channels in each. A two-dimensional transform is one over the columns and
// one over the rows. A filter of 3 with stride 2 is one of 2 on the even values, F(2, 2), and one of 1 on the odd ones: 5
// points for 2 results. Those for the gradients are the transposes of those for the result.

/** Image to points: 4 values to 4. */
function image4(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const d0 = v128.load(from);
  const d1 = v128.load(from + stepFrom);
  const d2 = v128.load(from + 2 * stepFrom);
  const d3 = v128.load(from + 3 * stepFrom);
  v128.store(to, f32x4.sub(d0, d2));
  v128.store(to + stepTo, f32x4.add(d1, d2));
  v128.store(to + 2 * stepTo, f32x4.sub(d2, d1));
  v128.store(to + 3 * stepTo, f32x4.sub(d1, d3));
}

/** Image to points: 6 values to 6. */
function image6(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const d0 = v128.load(from);
  const d1 = v128.load(from + stepFrom);
  const d2 = v128.load(from + 2 * stepFrom);
  const d3 = v128.load(from + 3 * stepFrom);
  const d4 = v128.load(from + 4 * stepFrom);
  const d5 = v128.load(from + 5 * stepFrom);
  const four = f32x4.splat(4);
  const five = f32x4.splat(5);
  const two = f32x4.splat(2);
  v128.store(to, f32x4.add(f32x4.sub(f32x4.mul(four, d0), f32x4.mul(five, d2)), d4));
  const even = f32x4.sub(d4, f32x4.mul(four, d2));
  const odd = f32x4.sub(d3, f32x4.mul(four, d1));
  v128.store(to + stepTo, f32x4.add(even, odd));
  v128.store(to + 2 * stepTo, f32x4.sub(even, odd));
  const outerEven = f32x4.sub(d4, d2);
  const outerOdd = f32x4.mul(two, f32x4.sub(d3, d1));
  v128.store(to + 3 * stepTo, f32x4.add(outerEven, outerOdd));
  v128.store(to + 4 * stepTo, f32x4.sub(outerEven, outerOdd));
  v128.store(to + 5 * stepTo, f32x4.add(f32x4.sub(f32x4.mul(four, d1), f32x4.mul(five, d3)), d5));
}

/** Points to result: 4 values to 2. */
function result4(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const d1 = v128.load(from + stepFrom);
  const d2 = v128.load(from + 2 * stepFrom);
  v128.store(to, f32x4.add(f32x4.add(v128.load(from), d1), d2));
  v128.store(to + stepTo, f32x4.sub(f32x4.sub(d1, d2), v128.load(from + 3 * stepFrom)));
}

/** Points to result: 6 values to 4. */
function result6(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const d1 = v128.load(from + stepFrom);
  const d2 = v128.load(from + 2 * stepFrom);
  const d3 = v128.load(from + 3 * stepFrom);
  const d4 = v128.load(from + 4 * stepFrom);
  const sum1 = f32x4.add(d1, d2);
  const sum2 = f32x4.add(d3, d4);
  const difference1 = f32x4.sub(d1, d2);
  const difference2 = f32x4.sub(d3, d4);
  v128.store(to, f32x4.add(v128.load(from), f32x4.add(sum1, sum2)));
  v128.store(to + stepTo, madd(difference2, f32x4.splat(2), difference1));
  v128.store(to + 2 * stepTo, madd(sum2, f32x4.splat(4), sum1));
  const last = f32x4.add(difference1, v128.load(from + 5 * stepFrom));
  v128.store(to + 3 * stepTo, madd(difference2, f32x4.splat(8), last));
}

/** Gradient of a result to points: 2 values to 4. */
function spread4(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const y0 = v128.load(from);
  const y1 = v128.load(from + stepFrom);
  v128.store(to, y0);
  v128.store(to + stepTo, f32x4.add(y0, y1));
  v128.store(to + 2 * stepTo, f32x4.sub(y0, y1));
  v128.store(to + 3 * stepTo, f32x4.neg(y1));
}

/** Gradient of a result to points: 4 values to 6. */
function spread6(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const y0 = v128.load(from);
  const y1 = v128.load(from + stepFrom);
  const y2 = v128.load(from + 2 * stepFrom);
  const y3 = v128.load(from + 3 * stepFrom);
  const four = f32x4.splat(4);
  const even1 = f32x4.add(y0, y2);
  const odd1 = f32x4.add(y1, y3);
  const even2 = madd(y2, four, y0);
  const odd2 = f32x4.mul(madd(y3, four, y1), f32x4.splat(2));
  v128.store(to, y0);
  v128.store(to + stepTo, f32x4.add(even1, odd1));
  v128.store(to + 2 * stepTo, f32x4.sub(even1, odd1));
  v128.store(to + 3 * stepTo, f32x4.add(even2, odd2));
  v128.store(to + 4 * stepTo, f32x4.sub(even2, odd2));
  v128.store(to + 5 * stepTo, y3);
}

/** Filter to points: 3 values to 4. */
function filter4(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const g0 = v128.load(from);
  const g1 = v128.load(from + stepFrom);
  const g2 = v128.load(from + 2 * stepFrom);
  const half = f32x4.splat(0.5);
  const even = f32x4.mul(f32x4.add(g0, g2), half);
  const odd = f32x4.mul(g1, half);
  v128.store(to, g0);
  v128.store(to + stepTo, f32x4.add(even, odd));
  v128.store(to + 2 * stepTo, f32x4.sub(even, odd));
  v128.store(to + 3 * stepTo, g2);
}

/** Filter to points: 3 values to 6. */
function filter6(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const g0 = v128.load(from);
  const g1 = v128.load(from + stepFrom);
  const g2 = v128.load(from + 2 * stepFrom);
  const sixth = f32x4.splat(-1.0 / 6);
  const even = f32x4.mul(f32x4.add(g0, g2), sixth);
  const odd = f32x4.mul(g1, sixth);
  v128.store(to, f32x4.mul(g0, f32x4.splat(0.25)));
  v128.store(to + stepTo, f32x4.add(even, odd));
  v128.store(to + 2 * stepTo, f32x4.sub(even, odd));
  const outerEven = madd(g0, f32x4.splat(1.0 / 24), f32x4.mul(g2, f32x4.splat(1.0 / 6)));
  const outerOdd = f32x4.mul(g1, f32x4.splat(1.0 / 12));
  v128.store(to + 3 * stepTo, f32x4.add(outerEven, outerOdd));
  v128.store(to + 4 * stepTo, f32x4.sub(outerEven, outerOdd));
  v128.store(to + 5 * stepTo, g2);
}

/** Gradient of points to filter: 4 values to 3. */
function gather4(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const d1 = v128.load(from + stepFrom);
  const d2 = v128.load(from + 2 * stepFrom);
  const half = f32x4.splat(0.5);
  const sum = f32x4.mul(f32x4.add(d1, d2), half);
  v128.store(to, f32x4.add(v128.load(from), sum));
  v128.store(to + stepTo, f32x4.mul(f32x4.sub(d1, d2), half));
  v128.store(to + 2 * stepTo, f32x4.add(v128.load(from + 3 * stepFrom), sum));
}

/** Gradient of points to filter: 6 values to 3. */
function gather6(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const d1 = v128.load(from + stepFrom);
  const d2 = v128.load(from + 2 * stepFrom);
  const d3 = v128.load(from + 3 * stepFrom);
  const d4 = v128.load(from + 4 * stepFrom);
  const sixth = f32x4.splat(-1.0 / 6);
  const sum1 = f32x4.mul(f32x4.add(d1, d2), sixth);
  const sum2 = f32x4.add(d3, d4);
  const first = madd(v128.load(from), f32x4.splat(0.25), sum1);
  v128.store(to, madd(sum2, f32x4.splat(1.0 / 24), first));
  const difference1 = f32x4.mul(f32x4.sub(d1, d2), sixth);
  v128.store(to + stepTo, madd(f32x4.sub(d3, d4), f32x4.splat(1.0 / 12), difference1));
  const last = f32x4.add(v128.load(from + 5 * stepFrom), sum1);
  v128.store(to + 2 * stepTo, madd(sum2, f32x4.splat(1.0 / 6), last));
}

/** Image to points, stride 2: 5 values to 5. */
function image5(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const d2 = v128.load(from + 2 * stepFrom);
  v128.store(to, f32x4.sub(v128.load(from), d2));
  v128.store(to + stepTo, d2);
  v128.store(to + 2 * stepTo, f32x4.sub(v128.load(from + 4 * stepFrom), d2));
  v128.store(to + 3 * stepTo, v128.load(from + stepFrom));
  v128.store(to + 4 * stepTo, v128.load(from + 3 * stepFrom));
}

/** Gradient of points to image, stride 2: 5 values to 5. */
function imageGradient5(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const p0 = v128.load(from);
  const p2 = v128.load(from + 2 * stepFrom);
  v128.store(to, p0);
  v128.store(to + stepTo, v128.load(from + 3 * stepFrom));
  v128.store(to + 2 * stepTo, f32x4.sub(f32x4.sub(v128.load(from + stepFrom), p0), p2));
  v128.store(to + 3 * stepTo, v128.load(from + 4 * stepFrom));
  v128.store(to + 4 * stepTo, p2);
}

/** Points to result, stride 2: 5 values to 2. */
function result5(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const d1 = v128.load(from + stepFrom);
  const first = f32x4.add(v128.load(from), d1);
  const second = f32x4.add(v128.load(from + 2 * stepFrom), d1);
  v128.store(to, f32x4.add(first, v128.load(from + 3 * stepFrom)));
  v128.store(to + stepTo, f32x4.add(second, v128.load(from + 4 * stepFrom)));
}

/** Gradient of a result to points, stride 2: 2 values to 5. */
function spread5(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const y0 = v128.load(from);
  const y1 = v128.load(from + stepFrom);
  v128.store(to, y0);
  v128.store(to + stepTo, f32x4.add(y0, y1));
  v128.store(to + 2 * stepTo, y1);
  v128.store(to + 3 * stepTo, y0);
  v128.store(to + 4 * stepTo, y1);
}

/** Filter to points, stride 2: 3 values to 5. */
function filter5(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const g0 = v128.load(from);
  const g1 = v128.load(from + stepFrom);
  const g2 = v128.load(from + 2 * stepFrom);
  v128.store(to, g0);
  v128.store(to + stepTo, f32x4.add(g0, g2));
  v128.store(to + 2 * stepTo, g2);
  v128.store(to + 3 * stepTo, g1);
  v128.store(to + 4 * stepTo, g1);
}

/** Gradient of points to filter, stride 2: 5 values to 3. */
function gather5(from: usize, stepFrom: usize, to: usize, stepTo: usize): void {
  const d1 = v128.load(from + stepFrom);
  v128.store(to, f32x4.add(v128.load(from), d1));
  v128.store(to + stepTo, f32x4.add(v128.load(from + 3 * stepFrom), v128.load(from + 4 * stepFrom)));
  v128.store(to + 2 * stepTo, f32x4.add(d1, v128.load(from + 2 * stepFrom)));
}

/** Bytes of scratch that a two-dimensional transform needs. */
export const TRANSFORM_BYTES: usize = 36 * 16;

// What a tile is: `kind` is 4 for F(4, 3), 2 for F(2, 3), and 5 for a stride of 2.

/** Points of a side. */
export function sideOf(kind: i32): i32 {
  return kind === 5 ? 5 : kind + 2;
}

/** Results of a side. */
export function resultSideOf(kind: i32): i32 {
  return kind === 4 ? 4 : 2;
}

/** Values of the image from one tile to the next. */
export function stepOf(kind: i32): i32 {
  return kind === 2 ? 2 : 4;
}

/** Values of the image under a row of tiles. */
export function extentOf(kind: i32, tiles: i32): i32 {
  return tiles * stepOf(kind) + (kind === 5 ? 1 : 2);
}

// Each of these transforms one tile of four channels. `row` and `column` are the distances of its values in bytes, `point`
// that of the points, which are counted row by row. They go over the columns into `scratch`, then over its rows.

export function imageToPoints(
  kind: i32,
  from: usize,
  row: usize,
  column: usize,
  to: usize,
  point: usize,
  scratch: usize,
): void {
  const side = <usize>sideOf(kind);
  const line = side * 16;
  if (kind === 4) {
    for (let i: usize = 0; i < side; i++) image6(from + i * column, row, scratch + i * 16, line);
    for (let i: usize = 0; i < side; i++) image6(scratch + i * line, 16, to + i * side * point, point);
  } else if (kind === 2) {
    for (let i: usize = 0; i < side; i++) image4(from + i * column, row, scratch + i * 16, line);
    for (let i: usize = 0; i < side; i++) image4(scratch + i * line, 16, to + i * side * point, point);
  } else {
    for (let i: usize = 0; i < side; i++) image5(from + i * column, row, scratch + i * 16, line);
    for (let i: usize = 0; i < side; i++) image5(scratch + i * line, 16, to + i * side * point, point);
  }
}

/** Writes the tile of the image's gradient to `to`, row by row, its vectors next to each other; for stride 2 alone. */
export function pointsToImageGradient(from: usize, point: usize, to: usize, scratch: usize): void {
  for (let i: usize = 0; i < 5; i++) imageGradient5(from + i * point, 5 * point, scratch + i * 16, 80);
  for (let i: usize = 0; i < 5; i++) imageGradient5(scratch + i * 80, 16, to + i * 80, 16);
}

/** Writes the tile of the result to `to`, row by row, its vectors next to each other. */
export function pointsToResult(kind: i32, from: usize, point: usize, to: usize, scratch: usize): void {
  const side = <usize>sideOf(kind);
  const results = <usize>resultSideOf(kind);
  const down = side * point;
  const line = side * 16;
  const lineTo = results * 16;
  if (kind === 4) {
    for (let i: usize = 0; i < side; i++) result6(from + i * point, down, scratch + i * 16, line);
    for (let i: usize = 0; i < results; i++) result6(scratch + i * line, 16, to + i * lineTo, 16);
  } else if (kind === 2) {
    for (let i: usize = 0; i < side; i++) result4(from + i * point, down, scratch + i * 16, line);
    for (let i: usize = 0; i < results; i++) result4(scratch + i * line, 16, to + i * lineTo, 16);
  } else {
    for (let i: usize = 0; i < side; i++) result5(from + i * point, down, scratch + i * 16, line);
    for (let i: usize = 0; i < results; i++) result5(scratch + i * line, 16, to + i * lineTo, 16);
  }
}

export function resultGradientToPoints(
  kind: i32,
  from: usize,
  row: usize,
  column: usize,
  to: usize,
  point: usize,
  scratch: usize,
): void {
  const side = <usize>sideOf(kind);
  const results = <usize>resultSideOf(kind);
  const line = results * 16;
  if (kind === 4) {
    for (let i: usize = 0; i < results; i++) spread6(from + i * column, row, scratch + i * 16, line);
    for (let i: usize = 0; i < side; i++) spread6(scratch + i * line, 16, to + i * side * point, point);
  } else if (kind === 2) {
    for (let i: usize = 0; i < results; i++) spread4(from + i * column, row, scratch + i * 16, line);
    for (let i: usize = 0; i < side; i++) spread4(scratch + i * line, 16, to + i * side * point, point);
  } else {
    for (let i: usize = 0; i < results; i++) spread5(from + i * column, row, scratch + i * 16, line);
    for (let i: usize = 0; i < side; i++) spread5(scratch + i * line, 16, to + i * side * point, point);
  }
}

export function filterToPoints(
  kind: i32,
  from: usize,
  row: usize,
  column: usize,
  to: usize,
  point: usize,
  scratch: usize,
): void {
  const side = <usize>sideOf(kind);
  if (kind === 4) {
    for (let i: usize = 0; i < 3; i++) filter6(from + i * column, row, scratch + i * 16, 48);
    for (let i: usize = 0; i < side; i++) filter6(scratch + i * 48, 16, to + i * side * point, point);
  } else if (kind === 2) {
    for (let i: usize = 0; i < 3; i++) filter4(from + i * column, row, scratch + i * 16, 48);
    for (let i: usize = 0; i < side; i++) filter4(scratch + i * 48, 16, to + i * side * point, point);
  } else {
    for (let i: usize = 0; i < 3; i++) filter5(from + i * column, row, scratch + i * 16, 48);
    for (let i: usize = 0; i < side; i++) filter5(scratch + i * 48, 16, to + i * side * point, point);
  }
}

export function pointsToFilterGradient(
  kind: i32,
  from: usize,
  point: usize,
  to: usize,
  row: usize,
  column: usize,
  scratch: usize,
): void {
  const side = <usize>sideOf(kind);
  const down = side * point;
  const line = side * 16;
  if (kind === 4) {
    for (let i: usize = 0; i < side; i++) gather6(from + i * point, down, scratch + i * 16, line);
    for (let i: usize = 0; i < 3; i++) gather6(scratch + i * line, 16, to + i * row, column);
  } else if (kind === 2) {
    for (let i: usize = 0; i < side; i++) gather4(from + i * point, down, scratch + i * 16, line);
    for (let i: usize = 0; i < 3; i++) gather4(scratch + i * line, 16, to + i * row, column);
  } else {
    for (let i: usize = 0; i < side; i++) gather5(from + i * point, down, scratch + i * 16, line);
    for (let i: usize = 0; i < 3; i++) gather5(scratch + i * line, 16, to + i * row, column);
  }
}

/** Copies an image into a frame of zeros; a negative margin leaves out lines or columns of it. */
export function frame(
  x: usize,
  to: usize,
  height: i32,
  width: i32,
  channels: i32,
  top: i32,
  left: i32,
  frameHeight: i32,
  frameWidth: i32,
): void {
  const line = bytes(frameWidth * channels);
  memory.fill(to, 0, <usize>frameHeight * line);
  const firstLine = max(0, -top);
  const lastLine = min(height, frameHeight - top);
  const first = max(0, -left);
  const count = min(width, frameWidth - left) - first;
  if (count <= 0) return;
  for (let y = firstLine; y < lastLine; y++) {
    memory.copy(
      to + <usize>(y + top) * line + bytes((first + left) * channels),
      x + bytes((y * width + first) * channels),
      bytes(count * channels),
    );
  }
}
