import { createHash, type Hash } from 'node:crypto';
import * as v from 'valibot';

/**
 * A pack: the decoded images of one data set in one file. First the images, RGB, one after the other; then their
 * digests and what is said about them (`PackFacts`, JSON), then the index of files (JSON), at last a trailer of fixed
 * length, so that a pack can be written as a stream and one cut off is no pack.
 */
const magic = 'TINYPACK';
/** Raised whenever decoding or resizing would give other bytes, or the layout changes. */
const version = 2;
export const trailerBytes = 64;
/** Images are checked by blocks of about this many bytes, each of whole images. */
const blockBytes = 1024 * 1024;
const digestBytes = 16;

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));

export const packFactsSchema = v.object({
  imageBytes: whole,
  count: whole,
  skipped: v.array(v.object({ fileIndex: whole, reason: v.string() })),
  /** False if files were skipped that may be readable another time. */
  isFinal: v.boolean(),
  /** Of each block. */
  digests: v.array(v.string()),
  indexBytes: whole,
  indexDigest: v.string(),
});

export type PackFacts = v.InferOutput<typeof packFactsSchema>;

/** Which file each image came from; a file without a hash could not be read. */
export const packIndexSchema = v.object({
  dir: v.string(),
  files: v.array(v.tuple([v.string(), v.number(), v.number(), v.nullable(v.string())])),
});

/** Path inside the folder, bytes, mtimeMs, content hash. */
export type PackIndex = v.InferOutput<typeof packIndexSchema>;

export type Trailer = { readonly factsBytes: number; readonly factsDigest: string };

export function encodeTrailer(facts: Uint8Array): Buffer {
  const trailer = Buffer.alloc(trailerBytes);
  trailer.write(magic, 'latin1');
  trailer.writeUInt32LE(version, 8);
  trailer.writeUInt32LE(facts.length, 12);
  trailer.write(digest(facts), 16, 'base64');
  return trailer;
}

/** Undefined if these are not the last bytes of a pack of this version. */
export function decodeTrailer(trailer: Buffer): Trailer | undefined {
  if (trailer.toString('latin1', 0, 8) !== magic || trailer.readUInt32LE(8) !== version) return undefined;
  return {
    factsBytes: trailer.readUInt32LE(12),
    factsDigest: trailer.toString('base64', 16, 16 + digestBytes),
  };
}

/** Images in a block. */
export function blockImages(imageBytes: number): number {
  return Math.max(1, Math.floor(blockBytes / imageBytes));
}

/** 128 bits of SHA-256, base64. */
export function digest(bytes: Uint8Array): string {
  return digestText(createHash('sha256').update(bytes));
}

export function digestText(hash: Hash): string {
  return hash.digest().subarray(0, digestBytes).toString('base64');
}
