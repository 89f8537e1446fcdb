import { randomInt } from 'node:crypto';
import { Random } from '../../../src/container/data/random';
import { figure } from './figures';

/** Chance that comes out the same again for the same seed: `TINY_CATS_SEED` repeats a suite that failed. */
export class Chance {
  private readonly random: Random;

  constructor(name: string) {
    const given = Number(process.env.TINY_CATS_SEED);
    const seed = Number.isInteger(given) && given > 0 ? given : randomInt(1, 2 ** 31);
    console.log(`    seed of ${name}: ${seed}`);
    figure(`${name}: seed`, seed);
    this.random = Random.seeded('faults', seed, name);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.random.uniform() * (high - low + 1));
  }

  /** One of them. */
  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.between(0, choices.length - 1)] ?? choices[0];
  }
}
