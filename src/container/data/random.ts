/** The four 32-bit words of a generator's state, as kept in a checkpoint. */
export type RandomState = readonly [number, number, number, number];

const float32 = 2 ** -32;

/**
 * A small seeded generator: sfc32 of Chris Doty-Humphrey's PractRand (`RNG/sfc.h`), with splitmix32's finaliser
 * (Steele, Lea and Flood, 2014; MurmurHash3's constants) to turn a seed into a state. Not for secrets.
 */
export class Random {
  readonly #origin: RandomState;
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  private constructor(origin: RandomState) {
    this.#origin = origin;
    [this.#a, this.#b, this.#c, this.#counter] = origin;
    // PractRand's own warm-up for a full seed.
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** A generator that depends on all of `labels`, their order and their types included. */
  static seeded(...labels: readonly (string | number)[]): Random {
    return new Random(absorb([0x9e3779b9, 0x243f6a88, 0xb7e15162, 1], labels));
  }

  /** An independent stream. It depends on how this generator was seeded, not on what was drawn from it. */
  fork(...labels: readonly (string | number)[]): Random {
    return new Random(absorb(this.#origin, labels));
  }

  /** What `from` makes a generator of that forks as this one does, in whichever thread. */
  get origin(): RandomState {
    return this.#origin;
  }

  static from(origin: RandomState): Random {
    return new Random(origin);
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number in [low, high), [0, 1) by default. */
  uniform(low = 0, high = 1): number {
    return low + this.uint32() * float32 * (high - low);
  }

  /** An integer in [0, end); `end` is at most 2^32. Lemire's multiplication, its bias below end / 2^32. */
  int(end: number): number {
    return Math.floor(this.uint32() * float32 * end);
  }

  /** A draw from the standard normal distribution (Box and Muller, 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log((this.uint32() + 1) * float32));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Draws from the normal distribution of mean 0, both of each pair that Box and Muller's method gives. */
  fillNormal(out: Float32Array, std: number): void {
    for (let i = 0; i < out.length; i += 2) {
      const radius = std * Math.sqrt(-2 * Math.log((this.uint32() + 1) * float32));
      const angle = 2 * Math.PI * (this.uint32() * float32);
      out[i] = radius * Math.cos(angle);
      // Beyond the end of an array of odd length nothing is stored.
      out[i + 1] = radius * Math.sin(angle);
    }
  }

  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.int(items.length)] ?? items[0];
  }

  /** Shuffles in place (Fisher and Yates) and returns the same array. */
  shuffle(items: Int32Array): Int32Array {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const kept = items[i] ?? 0;
      items[i] = items[j] ?? 0;
      items[j] = kept;
    }
    return items;
  }

  /** The state as unsigned 32-bit words; the origin of forks is not part of it. */
  getState(): RandomState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#counter >>> 0];
  }

  /** Goes on from a state of {@link getState}. */
  setState(state: RandomState): void {
    [this.#a, this.#b, this.#c, this.#counter] = state;
  }
}

/** Hashes `labels` into a state, word by word; text is hashed by UTF-16 unit. */
function absorb(origin: RandomState, labels: readonly (string | number)[]): RandomState {
  const words = [...origin];
  const mix = (value: number): void => {
    for (let i = 0; i < 4; i++) {
      words[i] = finalise(
        ((words[i] ?? 0) ^ value) + Math.imul(0x9e3779b9, i + 1) + (words[(i + 3) & 3] ?? 0),
      );
    }
  };
  for (const label of labels) {
    if (typeof label === 'string') {
      mix(label.length);
      for (let i = 0; i < label.length; i++) mix(label.charCodeAt(i));
    } else {
      // Both halves of the double, so that 0.5, -1 and 2^40 are different seeds.
      double[0] = label;
      mix(~(halves[0] ?? 0));
      mix(halves[1] ?? 0);
    }
  }
  const [a = 0, b = 0, c = 0] = words;
  return [a, b, c, 1];
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

function finalise(value: number): number {
  let z = value | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) | 0;
}
