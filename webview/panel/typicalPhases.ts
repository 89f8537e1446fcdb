/** What parts of a cold start usually take: the project's design, for a container in the cloud. */
const TYPICAL: readonly { pattern: RegExp; what: string; fromMs: number; toMs: number }[] = [
  { pattern: /image|pull|build/i, what: 'image', fromMs: 5000, toMs: 30_000 },
  { pattern: /code/i, what: 'code', fromMs: 1000, toMs: 5000 },
  { pattern: /import/i, what: 'imports', fromMs: 2000, toMs: 10_000 },
  { pattern: /device|gpu|cuda|warm-up/i, what: 'GPU', fromMs: 1000, toMs: 5000 },
  { pattern: /model|weights/i, what: 'model', fromMs: 1000, toMs: 60_000 },
];

export interface Typical {
  fromMs: number;
  toMs: number;
  /** "typically 2–10 s" */
  text: string;
}

/** The usual range of a phase by its name; undefined if none is known. */
export function typicalOf(name: string): Typical | undefined {
  const found = TYPICAL.find(({ pattern }) => pattern.test(name));
  if (found === undefined) {
    return undefined;
  }
  const { fromMs, toMs } = found;
  return { fromMs, toMs, text: `typically ${fromMs / 1000}–${toMs / 1000} s` };
}
