import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import * as v from 'valibot';

const REPORT_EVERY_MS = 1000;
const MB = 1e6;
/** Lines of a build that tell why it failed. */
const LAST_LINES = 10;
const MAX_LINE = 200;
/** "Step 3/6 : RUN …" of Docker, "[2/2] STEP 3/6: RUN …" of Podman. */
const STEP = /^(\[\d+\/\d+\] )?step \d/i;

const lineSchema = v.object({
  stream: v.optional(v.string()),
  status: v.optional(v.string()),
  id: v.optional(v.string()),
  progressDetail: v.optional(v.object({ current: v.optional(v.number()), total: v.optional(v.number()) })),
  error: v.optional(v.string()),
});
type Line = v.InferOutput<typeof lineSchema>;

/** Adds up what an engine says about the layers that it fetches. */
export class LayerProgress {
  private readonly layers = new Map<string, { current: number; total: number; done: boolean }>();

  take({ id, status = '', progressDetail }: Line): void {
    // The first line names the tag as its id.
    if (id === undefined || /^pulling from/i.test(status)) {
      return;
    }
    const layer = this.layers.get(id) ?? { current: 0, total: 0, done: false };
    this.layers.set(id, layer);
    // What is unpacked was counted when it came.
    if (/^(downloading|copying|pulling fs layer)/i.test(status)) {
      layer.current = progressDetail?.current ?? layer.current;
      layer.total = progressDetail?.total ?? layer.total;
    }
    if (/^(pull complete|download complete|already exists|copied)/i.test(status)) {
      layer.current = layer.total;
      layer.done = true;
    }
  }

  /** "2 of 5 layers, 34 of 78 MB" */
  toString(): string {
    const all = [...this.layers.values()];
    const sum = (key: 'current' | 'total'): number => all.reduce((total, layer) => total + layer[key], 0);
    const layers = `${all.filter((layer) => layer.done).length} of ${all.length} layers`;
    const total = sum('total');
    return total === 0
      ? layers
      : `${layers}, ${(sum('current') / MB).toFixed(0)} of ${(total / MB).toFixed(0)} MB`;
  }

  get isEmpty(): boolean {
    return this.layers.size === 0;
  }
}

/**
 * Reads an engine's answer to a pull or a build to its end.
 * @param title "Pulling node"
 * @param log gets the steps of a build, and once a second what a step says or how far the layers are
 * @throws Error with what the engine says when it fails, and the last lines of the step
 */
export async function followProgress(
  stream: NodeJS.ReadableStream,
  title: string,
  log: (text: string) => void,
): Promise<void> {
  const layers = new LayerProgress();
  let reported = { text: '', atMs: performance.now() };
  const say = (what: string): void => {
    const text = `${title}: ${what}`;
    if (text !== reported.text) {
      log(text);
      reported = { text, atMs: performance.now() };
    }
  };
  const report = (): void => {
    if (!layers.isEmpty) {
      say(layers.toString());
    }
  };
  const lastLines: string[] = [];
  let failure: string | undefined;
  for await (const text of createInterface({ input: stream })) {
    const line = parseLine(text);
    failure = line.error ?? failure;
    const said = stripVTControlCharacters(line.stream ?? '')
      .trim()
      .slice(0, MAX_LINE);
    const isDue = performance.now() - reported.atMs > REPORT_EVERY_MS;
    if (said !== '') {
      lastLines.push(said);
      lastLines.splice(0, lastLines.length - LAST_LINES);
      if (isDue || STEP.test(said)) {
        say(said);
      }
    }
    layers.take(line);
    if (isDue) {
      report();
    }
  }
  if (failure !== undefined) {
    throw new Error([failure.trim(), ...lastLines].join('\n'));
  }
  report();
}

/** A line that is none of ours says nothing to us. */
function parseLine(text: string): Line {
  try {
    return v.parse(lineSchema, JSON.parse(text));
  } catch {
    return {};
  }
}
