import { createSharedMemory, type SharedMemory } from './sharedMemory';

/** More would not fit the control block, and none of today's machines would gain. */
export const MAX_WORKERS = 64;
/** Values that a replica can publish at once: both moments of 8,192 channels. */
const STATISTICS = 16_385;
const BYTES = 4;
const CONTROL_BYTES = 1024;
const NORM_BYTES = MAX_WORKERS * 8;
/** Values of a cache line: parts that different workers write do not share one. */
const LINE = 16;

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

/** Words of the control block. */
export const CONTROL = {
  aborted: 0,
  /** Barrier of all workers. */
  allArrived: 16,
  allGeneration: 17,
  /** Barrier of the workers that have a part of the batch. */
  activeArrived: 32,
  activeGeneration: 33,
  /** One word for each worker: whether its gradient counts in this step. */
  contributed: 64,
} as const;

export interface Sizes {
  readonly workers: number;
  /** Trainable values of the model. */
  readonly parameters: number;
  readonly averaged: boolean;
}

/**
 * What data-parallel workers share, in one memory: control words, partial norms, two sets of published statistics,
 * parameters, both moments, the moving average if there is one, and a gradient for each worker.
 */
export class SharedState {
  readonly control: Int32Array;
  /** Each worker's part of the squared norm of the gradient. */
  readonly norms: Float64Array;
  private readonly padded: number;

  private constructor(
    readonly memory: SharedMemory,
    readonly sizes: Sizes,
  ) {
    this.padded = roundUp(sizes.parameters, LINE);
    this.control = new Int32Array(memory.buffer, 0, CONTROL_BYTES / BYTES);
    this.norms = new Float64Array(memory.buffer, CONTROL_BYTES, sizes.workers);
  }

  /** Memory for a model; all zero. */
  static create(sizes: Sizes): SharedState {
    const regions = 3 + (sizes.averaged ? 1 : 0) + sizes.workers;
    const bytes = statisticsEnd(sizes.workers) + regions * roundUp(sizes.parameters, LINE) * BYTES;
    return new SharedState(createSharedMemory(bytes), sizes);
  }

  static attach(memory: SharedMemory, sizes: Sizes): SharedState {
    return new SharedState(memory, sizes);
  }

  /** Where a worker publishes its statistics; `set` alternates between 0 and 1. */
  statistics(worker: number, set: number, count: number): Float32Array {
    if (count > STATISTICS)
      throw new Error(`${count} statistics are more than the ${STATISTICS} that can be shared`);
    const at = CONTROL_BYTES + NORM_BYTES + (set * this.sizes.workers + worker) * statisticsBytes;
    return new Float32Array(this.memory.buffer, at, count);
  }

  /** The range of values that a worker updates: [from, to). */
  shard(worker: number): { from: number; to: number } {
    const lines = this.padded / LINE;
    const cut = (part: number) =>
      Math.min(this.sizes.parameters, Math.floor((lines * part) / this.sizes.workers) * LINE);
    return { from: cut(worker), to: cut(worker + 1) };
  }

  readonly addressOf = {
    parameters: (): number => this.region(0),
    first: (): number => this.region(1),
    second: (): number => this.region(2),
    gradient: (worker: number): number => this.region(3 + worker),
    average: (): number => this.region(3 + this.sizes.workers),
  };

  /** Values at an address that `addressOf` gave. */
  floats(address: number, offset = 0, count = this.sizes.parameters): Float32Array {
    return new Float32Array(this.memory.buffer, address + offset * BYTES, count);
  }

  private region(index: number): number {
    return statisticsEnd(this.sizes.workers) + index * this.padded * BYTES;
  }
}

const statisticsBytes = roundUp(STATISTICS, LINE) * BYTES;

const statisticsEnd = (workers: number): number => CONTROL_BYTES + NORM_BYTES + 2 * workers * statisticsBytes;
