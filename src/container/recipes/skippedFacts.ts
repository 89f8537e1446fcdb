import type { Dataset } from '../data/dataset';

/** A folder may hold tens of thousands of broken files, and an event goes to every client in one message. */
const NAMED = 100;

/** What the event `dataset` says about skipped files. */
export function skippedFacts({ skipped }: Pick<Dataset, 'skipped'>): {
  skipped: { path: string; reason: string }[];
  more_skipped?: number;
} {
  const more = skipped.length - NAMED;
  return { skipped: skipped.slice(0, NAMED), ...(more > 0 ? { more_skipped: more } : {}) };
}
