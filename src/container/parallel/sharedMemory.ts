/** The part of WebAssembly that is used here; neither Node's types nor the language's declare it. */
declare const WebAssembly: {
  readonly Memory: new (descriptor: { initial: number; maximum: number; shared: true }) => SharedMemory;
  readonly Module: new (binary: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { env: { memory: SharedMemory } },
  ) => { readonly exports: Record<string, unknown> };
};

/** A WebAssembly.Memory that all threads see. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
}

const pageBytes = 65_536;
/** What the shared kernels are compiled for. */
const maximumPages = 65_536;

/** @throws RangeError where the machine does not have them, Error above 4 GiB */
export function createSharedMemory(bytes: number): SharedMemory {
  const pages = Math.ceil(bytes / pageBytes);
  if (pages > maximumPages) {
    throw new Error(
      `${(bytes / 2 ** 30).toFixed(1)} GiB of shared memory are needed, 4 are possible: use fewer workers`,
    );
  }
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

export function isSharedMemory(value: unknown): value is SharedMemory {
  return (
    typeof value === 'object' &&
    value !== null &&
    'buffer' in value &&
    value.buffer instanceof SharedArrayBuffer
  );
}

/** Number of parameters of every kernel in assembly/shared.ts, where they are documented. Addresses are in bytes. */
const parameterCounts = { adam: 13, sumOfSquares: 2, movingAverage: 4, sumReplicas: 5 } as const;

export type SharedKernels = Record<keyof typeof parameterCounts, (...parameters: number[]) => number>;

function isKernels(exports: Record<string, unknown>): exports is SharedKernels {
  return Object.entries(parameterCounts).every(([name, count]) => {
    const kernel = exports[name];
    return typeof kernel === 'function' && kernel.length === count;
  });
}

/** Instantiates the kernels of kernels-shared.wasm, whose content is `binary`, on a shared memory. */
export function sharedKernels(binary: Uint8Array, memory: SharedMemory): SharedKernels {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), { env: { memory } });
  if (!isKernels(exports)) throw new Error('kernels-shared.wasm does not fit this version; build it again');
  return exports;
}
