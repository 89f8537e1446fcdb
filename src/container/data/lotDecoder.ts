import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createDecoder } from './decodeImage';
import { DecodePool, DecodePoolError } from './decodePool';
import { decodeLot, type FileOutcome, type Lot } from './fileDecoder';

export type LotDecoderOptions = {
  readonly imageSize: number;
  readonly wasmDir: string;
  readonly log: (level: 'info' | 'warning', text: string) => void;
  readonly signal?: AbortSignal;
  /** Worker threads that decode; by default as many as the machine runs at once, up to 4. 0 decodes in this thread. */
  readonly decodeWorkers?: number;
  /** The script of a decode worker; the one beside this script by default. */
  readonly decodeWorkerPath?: string;
  /** After this long with one image, and at most twice as long, it is skipped. */
  readonly decodeTimeoutMs?: number;
};

export type LotDecoder = {
  /** Lots worth having in work at once. */
  readonly ahead: number;
  /** One outcome for each file, in order. @throws the signal's reason, or an Error if a codec cannot be loaded */
  readonly decode: (lot: Lot) => Promise<FileOutcome[]>;
  readonly end: () => Promise<void>;
};

const maxWorkers = 4;
/** Rough costs in milliseconds, to decide whether workers are worth their start. */
const fileMs = 0.15;
const byteMs = 1e-4;
const workersPayFromMs = 300;
/** How long decoding may keep the event loop to itself; a stop is noticed after this and one image at the latest. */
const sliceMs = 15;

/**
 * What decodes `files`, of which it does not decode those whose content is `known`: worker threads, or this thread
 * where they would cost more than they save.
 */
export function createLotDecoder(
  files: readonly { readonly bytes: number }[],
  known: ReadonlySet<string>,
  options: LotDecoderOptions,
): LotDecoder {
  const {
    decodeWorkers = Math.min(maxWorkers, availableParallelism()),
    decodeWorkerPath,
    decodeTimeoutMs,
  } = options;
  const estimateMs = files.reduce((sum, { bytes }) => sum + fileMs + bytes * byteMs, 0);
  const isWorth =
    options.decodeWorkers !== undefined || (decodeWorkers > 1 && estimateMs >= workersPayFromMs);
  const inThread = decodeInThread(known, options);
  if (decodeWorkers === 0 || files.length === 0 || !isWorth) return inThread;

  const { imageSize, wasmDir, signal, log } = options;
  const pool = new DecodePool({
    imageSize,
    wasmDir,
    known,
    workers: decodeWorkers,
    ...(decodeWorkerPath === undefined ? {} : { workerPath: decodeWorkerPath }),
    ...(decodeTimeoutMs === undefined ? {} : { timeoutMs: decodeTimeoutMs }),
  });
  const stop = (): void => void pool.end(signal?.reason);
  signal?.addEventListener('abort', stop);
  let isBroken = false;
  return {
    ahead: decodeWorkers * 2,
    decode: async (lot) => {
      try {
        return await pool.decode(lot);
      } catch (error) {
        if (!(error instanceof DecodePoolError)) throw error;
        if (!isBroken) log('warning', `${error.message}. Images are decoded without them.`);
        isBroken = true;
        return inThread.decode(lot);
      }
    },
    end: async () => {
      signal?.removeEventListener('abort', stop);
      await pool.end(new Error('Decoding was ended.'));
    },
  };
}

/** Decodes in this thread, which does other things in between. */
export function decodeInThread(known: ReadonlySet<string>, options: LotDecoderOptions): LotDecoder {
  const { imageSize, wasmDir, signal } = options;
  const decode = createDecoder(wasmDir);
  let sliceEnd = performance.now() + sliceMs;
  const onFile = async (): Promise<void> => {
    if (performance.now() <= sliceEnd) return;
    await nextTurn();
    signal?.throwIfAborted();
    sliceEnd = performance.now() + sliceMs;
  };
  return {
    ahead: 1,
    decode: (lot) => decodeLot(lot, { imageSize, known, decode, onFile }, signal),
    end: () => Promise.resolve(),
  };
}
