/** Time over which a speed is measured. */
const WINDOW_MS = 3000;
/** A speed of less than that would say nothing. */
const LEAST_MS = 200;

/** How fast a transfer has been of late. */
export class Pace {
  private marks: { atMs: number; bytes: number }[] = [];

  /** @param bytes that are through by now @param nowMs from any clock that only goes on */
  note(bytes: number, nowMs: number): void {
    this.marks.push({ atMs: nowMs, bytes });
    // One that is older stays, so that the window is full.
    while ((this.marks[1]?.atMs ?? nowMs) <= nowMs - WINDOW_MS) {
      this.marks.shift();
    }
  }

  /** Undefined while it is too early to tell. */
  get bytesPerSecond(): number | undefined {
    const [first] = this.marks;
    const last = this.marks.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < LEAST_MS) {
      return undefined;
    }
    return ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000;
  }
}
