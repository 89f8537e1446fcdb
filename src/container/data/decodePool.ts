import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { parse } from '../../protocol/schema';
import { decodeReplySchema, type DecodeReply, type DecodeWorkerStart } from './decodeService';
import type { FileOutcome, Lot } from './fileDecoder';

/** In the bundle a file of its own; run from source, the source. */
export const defaultWorkerPath = join(
  __dirname,
  __filename.endsWith('.ts') ? 'decodeWorker.ts' : 'decode-worker.js',
);
/** A large photograph takes a second or two. */
const defaultTimeoutMs = 30_000;

export type DecodePoolOptions = {
  readonly wasmDir: string;
  readonly imageSize: number;
  /** Contents that need not be decoded, by their hash. */
  readonly known: ReadonlySet<string>;
  readonly workers: number;
  readonly workerPath?: string;
  /** After this long with one image, and at most twice as long, a worker is given up. */
  readonly timeoutMs?: number;
};

/** The workers cannot be had at all: the caller may still decode by itself. */
export class DecodePoolError extends Error {
  override readonly name = 'DecodePoolError';
}

type Job = {
  readonly lot: Lot;
  /** The files that a worker was lost with, by their slot, and why. */
  readonly lost: Map<number, string>;
  readonly resolve: (outcomes: FileOutcome[]) => void;
  readonly reject: (error: unknown) => void;
};

type Member = {
  readonly worker: Worker;
  readonly position: Int32Array;
  job: Job | undefined;
  timer: NodeJS.Timeout | undefined;
};

const notStarted = -1;

/** Worker threads that decode lots of image files. An image that a worker dies or hangs with is skipped. */
export class DecodePool {
  readonly #options: DecodePoolOptions;
  readonly #members = new Set<Member>();
  readonly #waiting: Job[] = [];
  /** Workers lost one after the other without an image to blame. */
  #losses = 0;
  #ended: { readonly reason: unknown } | undefined;

  constructor(options: DecodePoolOptions) {
    this.#options = options;
    for (let i = 0; i < options.workers; i++) this.#start();
  }

  /**
   * What became of each file of the lot; the images are in its `out`. Lots are begun in the order of the calls.
   *
   * @throws {DecodePoolError} if workers cannot be started
   * @throws {Error} if a codec cannot be loaded, or the pool was ended
   */
  decode(lot: Lot): Promise<FileOutcome[]> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(toError(this.#ended.reason));
        return;
      }
      this.#waiting.push({ lot, lost: new Map(), resolve, reject });
      this.#assign();
    });
  }

  /** Ends all workers, whatever they do, and rejects what is pending with `reason`. */
  async end(reason: unknown): Promise<void> {
    if (this.#ended) return;
    this.#ended = { reason };
    const members = [...this.#members];
    this.#members.clear();
    for (const job of [...this.#waiting.splice(0), ...members.flatMap(({ job }) => job ?? [])])
      job.reject(reason);
    await Promise.all(
      members.map(({ worker, timer }) => {
        clearTimeout(timer);
        return worker.terminate();
      }),
    );
  }

  #start(): void {
    const { wasmDir, imageSize, known, workerPath = defaultWorkerPath } = this.#options;
    const position = new Int32Array(new SharedArrayBuffer(4)).fill(notStarted);
    const worker = startThread(workerPath, { wasmDir, imageSize, known: new Set(known), position });
    const member: Member = { worker, position, job: undefined, timer: undefined };
    this.#members.add(member);
    worker.on('message', (message: unknown) =>
      this.#receive(member, parse(decodeReplySchema, message, 'decode worker')),
    );
    worker.on('error', (error) => this.#lose(member, `the decoder crashed (${error.message})`));
    worker.on('exit', () => this.#lose(member, 'the decoder crashed'));
    this.#assign();
  }

  #assign(): void {
    for (const member of this.#members) {
      if (member.job) continue;
      const job = this.#waiting.shift();
      if (!job) return;
      this.#give(member, job);
    }
  }

  #give(member: Member, job: Job): void {
    const { lot, lost } = job;
    member.job = job;
    Atomics.store(member.position, 0, notStarted);
    const files = lot.files.filter(({ slot }) => !lost.has(slot));
    member.worker.postMessage({ files, out: lot.out });
    this.#watch(member);
  }

  /** Gives the worker up once it stays at one file for the whole of the time allowed. */
  #watch(member: Member): void {
    const { timeoutMs = defaultTimeoutMs } = this.#options;
    const seen = Atomics.load(member.position, 0);
    member.timer = setTimeout(() => {
      if (Atomics.load(member.position, 0) !== seen) this.#watch(member);
      else this.#lose(member, `decoding took longer than ${timeoutMs / 1000} s`);
    }, timeoutMs);
  }

  #receive(member: Member, reply: DecodeReply): void {
    const { job } = member;
    if (!job) return;
    clearTimeout(member.timer);
    member.job = undefined;
    this.#losses = 0;
    if (reply.type === 'failed') job.reject(new Error(reply.message));
    else job.resolve(withLost(reply.outcomes, job));
    this.#assign();
  }

  #lose(member: Member, reason: string): void {
    if (!this.#members.delete(member)) return;
    clearTimeout(member.timer);
    void member.worker.terminate();
    const { job } = member;
    if (job) this.#waiting.unshift(job);
    const slot = Atomics.load(member.position, 0);
    if (slot !== notStarted && job) {
      job.lost.set(slot, reason);
      this.#losses = 0;
    } else if (++this.#losses > this.#options.workers * 2) {
      // No image's fault: not even one was begun.
      void this.end(new DecodePoolError(`Decode workers do not start: ${reason}`));
      return;
    }
    this.#start();
  }
}

function startThread(path: string, workerData: DecodeWorkerStart): Worker {
  if (!path.endsWith('.ts')) return new Worker(path, { workerData });
  // Node gives a TypeScript loader to the main thread only.
  return new Worker(`require('tsx/cjs'); require(${JSON.stringify(path)})`, { eval: true, workerData });
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** The outcomes of all files of a job, in order. */
function withLost(outcomes: readonly FileOutcome[], { lot, lost }: Job): FileOutcome[] {
  const rest = outcomes.values();
  return lot.files.map(({ slot }): FileOutcome => {
    const reason = lost.get(slot);
    if (reason !== undefined) return { state: 'skipped', reason };
    const next = rest.next();
    if (next.done === true) throw new Error('A decode worker left out a file.');
    return next.value;
  });
}
