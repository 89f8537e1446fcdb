import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as v from 'valibot';

const factsSchema = v.object({
  /** A container has been there since its runs were last settled. */
  mayBeUnsettled: v.boolean(),
  /** This side has all that the volume has. */
  isRead: v.boolean(),
});
type Facts = v.InferOutput<typeof factsSchema>;
const UNKNOWN: Facts = { mayBeUnsettled: false, isRead: false };

/**
 * What this side knows of a volume whose container is gone: looking costs a helper container each time, and most of the
 * time there is nothing new.
 */
export class Ledger {
  private known: Facts | undefined;

  constructor(private readonly path: string) {}

  async facts(): Promise<Facts> {
    this.known ??= await this.read();
    return this.known;
  }

  async note(change: Partial<Facts>): Promise<void> {
    const before = await this.facts();
    const after = { ...before, ...change };
    if (after.mayBeUnsettled !== before.mayBeUnsettled || after.isRead !== before.isRead) {
      this.known = after;
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
      await writeFile(this.path, JSON.stringify(after));
    }
  }

  private async read(): Promise<Facts> {
    try {
      return v.parse(factsSchema, JSON.parse(await readFile(this.path, 'utf8')));
    } catch {
      // It was never written, or half of it: what is not known is looked up.
      return UNKNOWN;
    }
  }
}
