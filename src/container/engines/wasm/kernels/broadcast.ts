import { registerWasmKernel, type WasmContext } from '../context';
import { sizeOf } from '../heap';

/** a as [outer, middle, inner] and b as [outer, 1, inner], or as [1, 1, inner] where `shared`. */
export interface BroadcastExtents {
  readonly outer: number;
  readonly middle: number;
  readonly inner: number;
  readonly shared: boolean;
}

/**
 * How `b` is repeated to the shape of `a`; undefined where it is not simply repeated along neighbouring axes, or along
 * leading and inner ones at once.
 */
export function broadcastExtents(a: readonly number[], b: readonly number[]): BroadcastExtents | undefined {
  const rank = a.length;
  if (b.length > rank) return undefined;
  const padded = [...Array<number>(rank - b.length).fill(1), ...b];
  const repeated = a.map((extent, axis) => padded[axis] === 1 && extent !== 1);
  if (a.some((extent, axis) => padded[axis] !== extent && padded[axis] !== 1)) return undefined;
  const first = repeated.indexOf(true);
  if (first < 0) return { outer: 1, middle: 1, inner: sizeOf(a), shared: false };
  const last = repeated.lastIndexOf(true);
  // An axis of one value may be counted as repeated or not.
  if (a.slice(first, last + 1).some((extent, index) => repeated[first + index] !== true && extent !== 1)) {
    return undefined;
  }
  const outer = sizeOf(a.slice(0, first));
  return {
    outer,
    middle: sizeOf(a.slice(first, last + 1)),
    inner: sizeOf(a.slice(last + 1)),
    shared: outer === 1,
  };
}

/** Registers addition, subtraction and multiplication, with one side repeated along neighbouring axes. */
export function installBroadcast({ tf, heap, kernels }: WasmContext): void {
  [tf.Add, tf.Sub, tf.Multiply].forEach((name, operation) => {
    registerWasmKernel(tf, name, (call) => {
      const [a, b] = [call.input('a'), call.input('b')];
      if (a.dtype !== 'float32' || b.dtype !== 'float32') return call.stock();
      let [large, small] = [a, b];
      let extents = broadcastExtents(a.shape, b.shape);
      if (!extents && name !== tf.Sub) {
        [large, small] = [b, a];
        extents = broadcastExtents(b.shape, a.shape);
      }
      if (!extents) return call.stock();
      const { outer, middle, inner } = extents;
      const out = heap.allocate(large.shape);
      kernels.broadcast(
        operation,
        heap.address(large),
        heap.address(small),
        extents.shared ? 0 : inner * 4,
        heap.address(out),
        outer,
        middle,
        inner,
      );
      return out;
    });
  });
}
