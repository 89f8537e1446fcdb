import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { parse } from '../../protocol/schema';
import type { BatchOptions } from './batch';
import { batchReplySchema, type BatchReply, type FillOrder } from './batchService';
import { errorText } from './dataError';

/** In the bundle a file of its own; run from source, the source. */
const defaultWorkerPath = join(__dirname, __filename.endsWith('.ts') ? 'batchWorker.ts' : 'batch-worker.js');

export type BatchWorkersOptions = {
  /** Told of each worker that is lost. */
  readonly log: (text: string) => void;
  readonly workerPath?: string;
};

/** Images that are to become numbers: see `BatchFiller.fill`. `images` and `out` have to be in shared memory. */
export type FillJob = {
  readonly imageSize: number;
  readonly options: BatchOptions;
  readonly images: Uint8Array;
  readonly positions: Int32Array;
  readonly indices: Int32Array;
  readonly out: Float32Array;
};

type Member = {
  readonly worker: Worker;
  isReady: boolean;
  /** Orders it was given that it has not replied to, by their number. */
  readonly pending: Map<number, Pending>;
};

type Pending = {
  readonly resolve: (isFilled: boolean) => void;
  readonly reject: (error: Error) => void;
};

/**
 * Worker threads that make images into batches ahead of training, for as long as the trainer lives. What they make does
 * not depend on how many there are. They are a help that may be missing: who asks has to be able to do it alone.
 */
export class BatchWorkers {
  readonly #options: BatchWorkersOptions;
  readonly #members = new Set<Member>();
  #mayStart = true;
  #orders = 0;

  constructor(options: BatchWorkersOptions) {
    this.#options = options;
  }

  /** Brings their number up to `count`, without waiting for them. */
  start(count: number): void {
    if (!this.#mayStart) return;
    while (this.#members.size < count) this.#startOne();
  }

  /** Batches that can be in work at once. */
  get ready(): number {
    return [...this.#members].filter(({ isReady }) => isReady).length;
  }

  /** False if no worker could do it: `out` is undefined then. @throws Error if the job is no good */
  fill({ imageSize, options, images, positions, indices, out }: FillJob): Promise<boolean> {
    const [member] = [...this.#members]
      .filter(({ isReady }) => isReady)
      .sort((one, other) => one.pending.size - other.pending.size);
    if (!member) return Promise.resolve(false);
    const { mean, std, augmentation } = options;
    const order: FillOrder = {
      id: this.#orders++,
      imageSize,
      mean: [...mean],
      std: [...std],
      augmentation: augmentation
        ? { level: augmentation.level, origin: [...augmentation.random.origin] }
        : null,
      images,
      // Copies, since a part of an array would take the whole of it along.
      positions: positions.slice(),
      indices: indices.slice(),
      out,
    };
    return new Promise((resolve, reject) => {
      member.pending.set(order.id, { resolve, reject });
      member.worker.postMessage(order);
    });
  }

  /** Ends the workers. What they were asked for is left to who asked. */
  async end(): Promise<void> {
    this.#mayStart = false;
    const members = [...this.#members];
    for (const member of members) this.#release(member);
    await Promise.all(members.map(({ worker }) => worker.terminate()));
  }

  #startOne(): void {
    const { workerPath = defaultWorkerPath } = this.#options;
    const worker = startThread(workerPath);
    // A process that has nothing else to do may end.
    worker.unref();
    const member: Member = { worker, isReady: false, pending: new Map() };
    this.#members.add(member);
    worker.on('message', (message: unknown) =>
      this.#receive(member, parse(batchReplySchema, message, 'batch worker')),
    );
    worker.on('error', (error) => this.#lose(member, errorText(error)));
    worker.on('exit', (code) => this.#lose(member, `it ended with exit code ${code}`));
  }

  #receive(member: Member, reply: BatchReply): void {
    if (reply.type === 'ready') {
      member.isReady = true;
      return;
    }
    const pending = member.pending.get(reply.id);
    member.pending.delete(reply.id);
    if (reply.type === 'filled') pending?.resolve(true);
    else pending?.reject(new Error(reply.message));
  }

  /** No other is started in its place: whatever ended it would end that, too. */
  #lose(member: Member, reason: string): void {
    if (!this.#members.has(member)) return;
    this.#release(member);
    this.#mayStart = false;
    this.#options.log(`A thread that prepares batches was lost (${reason}); training goes on without it.`);
  }

  #release(member: Member): void {
    this.#members.delete(member);
    for (const { resolve } of member.pending.values()) resolve(false);
    member.pending.clear();
  }
}

function startThread(path: string): Worker {
  if (!path.endsWith('.ts')) return new Worker(path);
  // Node gives a TypeScript loader to the main thread only.
  return new Worker(`require('tsx/cjs'); require(${JSON.stringify(path)})`, { eval: true });
}
