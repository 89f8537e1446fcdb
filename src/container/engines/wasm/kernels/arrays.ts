import { registerWasmKernel, type WasmContext } from '../context';
import { sizeOf } from '../heap';

/** Registers the gradient of a gather along the first axis, which the backend lacks. */
function installSegmentSum({ tf, heap, kernels }: WasmContext): void {
  registerWasmKernel(tf, tf.UnsortedSegmentSum, (call) => {
    const x = call.input('x');
    const ids = call.input('segmentIds');
    const segments = call.number('numSegments');
    const [rows = 0, ...rest] = x.shape;
    if (x.dtype !== 'float32' || ids.shape.length !== 1 || ids.shape[0] !== rows) return call.stock();
    const out = heap.allocate([segments, ...rest]);
    kernels.segmentSum(heap.address(x), heap.address(ids), heap.address(out), rows, sizeOf(rest), segments);
    return out;
  });
}

/** Registers Tile as copies of runs, one axis after the other. */
function installTile({ tf, heap, kernels }: WasmContext): void {
  registerWasmKernel(tf, tf.Tile, (call) => {
    const x = call.input('x');
    const reps = call.numbers('reps');
    if ((x.dtype !== 'float32' && x.dtype !== 'int32') || reps.length !== x.shape.length) return call.stock();
    let current = heap.alias(x);
    // The last axis first: the runs of an axis are then as long as they will be.
    for (let axis = reps.length - 1; axis >= 0; axis--) {
      const times = reps[axis] ?? 1;
      if (times === 1) continue;
      const shape = current.shape.map((extent, index) => (index === axis ? extent * times : extent));
      const out = heap.allocate(shape, x.dtype);
      const inner = sizeOf(current.shape.slice(axis));
      kernels.repeat(
        heap.address(current),
        heap.address(out),
        sizeOf(current.shape.slice(0, axis)),
        inner,
        times,
      );
      heap.release(current);
      current = out;
    }
    return current;
  });
}

/** Registers Identity, and Cast to the same type, as a second tensor on the same values; the backend copies them. */
function installAliases({ tf, heap }: WasmContext): void {
  registerWasmKernel(tf, tf.Identity, (call) => {
    const x = call.input('x');
    return x.dtype === 'string' ? call.stock() : heap.alias(x);
  });
  registerWasmKernel(tf, tf.Cast, (call) => {
    const x = call.input('x');
    return x.dtype === 'float32' && call.text('dtype') === 'float32' ? heap.alias(x) : call.stock();
  });
}

/** Registers what moves values without computing. */
export function installArrays(context: WasmContext): void {
  installAliases(context);
  installSegmentSum(context);
  installTile(context);
}
