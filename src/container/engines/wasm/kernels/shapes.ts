/** The four extents of an NHWC image batch or of a filter. */
export function shape4D(shape: readonly number[]): [number, number, number, number] {
  const [a, b, c, d] = shape;
  if (a === undefined || b === undefined || c === undefined || d === undefined) {
    throw new Error(`Expected four dimensions, got [${shape.join(', ')}]`);
  }
  return [a, b, c, d];
}
