import { registerWasmKernel, type WasmContext } from '../context';
import { shape4D } from './shapes';

/** Registers the gradient of a maximum pool. */
export function installMaxPool({ tf, heap, kernels }: WasmContext): void {
  registerWasmKernel(tf, tf.MaxPoolGrad, (call) => {
    const x = call.input('input');
    const pool = tf.backend_util.computePool2DInfo(
      shape4D(x.shape),
      call.pair('filterSize'),
      call.pair('strides'),
      1,
      call.padding('pad'),
      call.rounding('dimRoundingMode'),
    );
    const out = heap.allocate(x.shape);
    heap.withScratch(pool.inChannels * 4, (scratch) =>
      kernels.maxPoolGradient(
        heap.address(x),
        heap.address(call.input('output')),
        heap.address(call.input('dy')),
        heap.address(out),
        scratch,
        pool.batchSize,
        pool.inHeight,
        pool.inWidth,
        pool.inChannels,
        pool.filterHeight,
        pool.filterWidth,
        pool.strideHeight,
        pool.strideWidth,
        pool.padInfo.top,
        pool.padInfo.left,
        pool.outHeight,
        pool.outWidth,
      ),
    );
    return out;
  });
}
