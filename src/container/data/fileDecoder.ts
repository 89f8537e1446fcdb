import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { DataError } from './dataError';
import type { Decode } from './decodeImage';
import { readAhead } from './readAhead';
import { resizeToSquare } from './resize';

/** What became of one image file. `hash` is its content's. */
export const fileOutcomeSchema = v.variant('state', [
  v.object({ state: v.literal('decoded'), hash: v.string() }),
  /** Its content was decoded before; nothing was written. */
  v.object({ state: v.literal('known'), hash: v.string() }),
  /** No usable image. Without a hash it may be one the next time. */
  v.object({ state: v.literal('skipped'), hash: v.optional(v.string()), reason: v.string() }),
]);

export type FileOutcome = Readonly<v.InferOutput<typeof fileOutcomeSchema>>;

/** An image file, and which place of its lot's buffer is its own. */
export type LotFile = { readonly path: string; readonly bytes: number; readonly slot: number };

/** Some files that are decoded one after the other. */
export type Lot = {
  readonly files: readonly LotFile[];
  /** Where they go: RGB, shape [slots, imageSize, imageSize, 3], in shared memory. */
  readonly out: Uint8Array;
};

export type FileDecoderOptions = {
  readonly imageSize: number;
  /** Contents that need not be decoded, by their hash. */
  readonly known: ReadonlySet<string>;
  readonly decode: Decode;
  /** Called before each file. */
  readonly onFile?: (file: LotFile) => void | Promise<void>;
};

/** Names an image by its content: 128 bits of SHA-256, in hex. */
export function contentHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

/**
 * Reads, decodes and resizes the files of a lot, in this thread. One outcome for each file, in order.
 *
 * @throws what `decode` throws besides `DataError`, and the reason of `signal` once that is aborted
 */
export async function decodeLot(
  lot: Lot,
  options: FileDecoderOptions,
  signal?: AbortSignal,
): Promise<FileOutcome[]> {
  const { imageSize, known, decode, onFile } = options;
  const imageBytes = imageSize * imageSize * 3;
  const outcomes: FileOutcome[] = [];
  for await (const content of readAhead(lot.files, signal)) {
    const file = lot.files[outcomes.length];
    if (!file) break;
    await onFile?.(file);
    if (content instanceof Error) {
      outcomes.push({ state: 'skipped', reason: `cannot be read: ${content.message}` });
      continue;
    }
    const hash = contentHash(content);
    if (known.has(hash)) {
      outcomes.push({ state: 'known', hash });
      continue;
    }
    try {
      resizeToSquare(await decode(content), imageSize, lot.out, file.slot * imageBytes);
      outcomes.push({ state: 'decoded', hash });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      outcomes.push({ state: 'skipped', hash, reason: error.message });
    }
  }
  return outcomes;
}
