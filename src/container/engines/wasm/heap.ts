import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { DataType, TensorInfo, TypedArray } from '@tensorflow/tfjs-core';
import type { WasmMemory } from './kernelModule';

const bytesPerFloat = 4;

/** Number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, extent) => size * extent, 1);

/** Tensors on the heap of tfjs-backend-wasm by address. Addresses stay valid when the heap grows; views do not. */
export class Heap {
  constructor(
    private readonly backend: BackendWasm,
    private readonly memory: WasmMemory,
  ) {}

  /** Byte address of a tensor's values. */
  address(tensor: TensorInfo): number {
    return this.backend.dataIdMap.get(tensor.dataId).memoryOffset;
  }

  /** A view of a tensor's values, valid until the next allocation. */
  view(tensor: TensorInfo): TypedArray {
    return this.backend.typedArrayFromHeap(tensor);
  }

  /** A view of a float32 tensor's values, valid until the next allocation. */
  floats(tensor: TensorInfo): Float32Array {
    return this.floatsAt(this.address(tensor), sizeOf(tensor.shape));
  }

  /** A view of `count` float32 values at an address, valid until the next allocation. */
  floatsAt(address: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, count);
  }

  /**
   * Allocates a tensor with undefined contents.
   * @throws Error where the heap, at most 4 GiB, is full.
   */
  allocate(shape: readonly number[], dtype: DataType = 'float32'): TensorInfo {
    const tensor = this.backend.makeOutput([...shape], dtype);
    if (this.address(tensor) === 0 && sizeOf(shape) > 0) {
      this.backend.disposeData(tensor.dataId);
      throw new Error(`Out of memory: the wasm heap has no room for a tensor of shape [${shape.join(', ')}]`);
    }
    return tensor;
  }

  /** A second tensor on the same values. */
  alias(tensor: TensorInfo): TensorInfo {
    this.backend.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: tensor.shape, dtype: tensor.dtype };
  }

  /** Gives up a tensor that `allocate` or `alias` made. */
  release(tensor: TensorInfo): void {
    this.backend.disposeData(tensor.dataId);
  }

  /** Runs `use` with the address of `bytes` bytes of scratch, which it frees in any case. */
  withScratch<T>(bytes: number, use: (address: number) => T): T {
    const scratch = this.allocate([Math.max(1, Math.ceil(bytes / bytesPerFloat))]);
    try {
      return use(this.address(scratch));
    } finally {
      this.backend.disposeData(scratch.dataId);
    }
  }
}
