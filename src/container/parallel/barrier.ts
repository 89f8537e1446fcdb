import { CONTROL } from './layout';

/** Looks at the word so often before it lets the thread sleep: tens of microseconds, about what waking up costs. */
const SPINS = 2000;
/** How long a sleeping thread may take to notice that the others were given up. */
const WAIT_MS = 500;

/** The other workers will not come: one failed, or the trainer gave up. */
export class AbortedError extends Error {
  override readonly name = 'AbortedError';
}

/** A barrier of threads over words of shared memory. Nobody passes before `parties` threads have arrived. */
export class Barrier {
  constructor(
    private readonly control: Int32Array,
    private readonly arrived: number,
    private readonly generation: number,
  ) {}

  /**
   * Blocks the thread until `parties` threads are here, this one included. What any wrote before, all can read after.
   * @throws AbortedError
   */
  wait(parties: number): void {
    const { control } = this;
    const generation = Atomics.load(control, this.generation);
    if (Atomics.add(control, this.arrived, 1) + 1 === parties) {
      Atomics.store(control, this.arrived, 0);
      Atomics.add(control, this.generation, 1);
      Atomics.notify(control, this.generation);
      this.check();
      return;
    }
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.load(control, this.generation) !== generation) return;
    }
    while (Atomics.load(control, this.generation) === generation) {
      this.check();
      Atomics.wait(control, this.generation, generation, WAIT_MS);
    }
  }

  private check(): void {
    if (Atomics.load(this.control, CONTROL.aborted) !== 0) {
      throw new AbortedError('the other workers will not come');
    }
  }
}

/** Lets every thread that waits at a barrier go, with an AbortedError. */
export function abort(control: Int32Array): void {
  Atomics.store(control, CONTROL.aborted, 1);
  for (const generation of [CONTROL.allGeneration, CONTROL.activeGeneration]) {
    Atomics.notify(control, generation);
  }
}
