/** What parts of a cold start usually take: the project's design, for a container in the cloud. */
const TYPICAL: readonly { pattern: RegExp; what: string; fromMs: number; toMs: number }[] = [
  { pattern: /image|pull|build/i, what: 'image', fromMs: 5000, toMs: 30_000 },
  { pattern: /code/i, what: 'code', fromMs: 1000, toMs: 5000 },
  { pattern: /import/i, what: 'imports', fromMs: 2000, toMs: 10_000 },
  { pattern: /device|gpu|cuda|warm-up/i, what: 'GPU', fromMs: 1000, toMs: 5000 },
  { pattern: /model|weights/i, what: 'model', fromMs: 1000, toMs: 60_000 },
];

/** Nothing is pulled or sent to it, and its parts are as fast as it is. */
const LOCAL_TARGET = 'local';

export interface Typical {
  fromMs: number;
  toMs: number;
  /** "typically 2–10 s" */
  text: string;
}

/** The usual range of a phase on a target by its name; undefined if none is known, or the container is on this machine. */
export function typicalOf(name: string, target: string): Typical | undefined {
  if (target === LOCAL_TARGET) {
    return undefined;
  }
  const found = TYPICAL.find(({ pattern }) => pattern.test(name));
  if (found === undefined) {
    return undefined;
  }
  const { fromMs, toMs } = found;
  return { fromMs, toMs, text: `typically ${fromMs / 1000}–${toMs / 1000} s` };
}
