import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEventBody } from '../../../src/protocol/events';
import type { ParameterValues } from '../../../src/protocol/parameters';
import { encodePng } from '../../../src/container/data/pngEncode';
import { Random } from '../../../src/container/data/random';
import type { Outcome, Recipe } from '../../../src/container/recipes/recipe';

/** Side of the images of `stripes`, in pixels. */
export const SIDE = 16;

/** Two classes that differ in the direction of their stripes, in random colours. */
export async function stripes(dir: string, images: number): Promise<void> {
  const random = Random.seeded('stripes');
  for (const name of ['across', 'down']) {
    await mkdir(join(dir, name), { recursive: true });
    for (let image = 0; image < images; image += 1) {
      const colour = [random.int(200), random.int(200), random.int(200)];
      const pixels = new Uint8Array(SIDE * SIDE * 3);
      for (let pixel = 0; pixel < SIDE * SIDE; pixel += 1) {
        const place = name === 'across' ? Math.floor(pixel / SIDE) : pixel % SIDE;
        const lit = place % 4 < 2 ? 1 : 0.3;
        colour.forEach((value, channel) => {
          pixels[pixel * 3 + channel] = 20 + value * lit + random.int(20);
        });
      }
      await writeFile(join(dir, name, `${image}.png`), encodePng(SIDE, SIDE, pixels));
    }
  }
}

export interface FinishedRun {
  events: RunEventBody[];
  outcome: Outcome;
  runDir: string;
  /** How often the run said that its first step was done. */
  firstSteps: number;
}

/** Trains one run in a folder of its own under `home`, which is its outputs volume; told to stop at an event that `stopAt` picks. */
export async function trainRun(
  recipe: Recipe,
  home: string,
  params: ParameterValues,
  stopAt: (event: RunEventBody) => boolean = () => false,
): Promise<FinishedRun> {
  const runDir = await mkdtemp(join(home, 'run-'));
  const stop = new AbortController();
  const events: RunEventBody[] = [];
  let firstSteps = 0;
  const emit = (event: RunEventBody): void => {
    events.push(event);
    if (stopAt(event)) {
      stop.abort();
    }
  };
  const outcome = await recipe.train({
    runId: 'test',
    params,
    runDir,
    resumeDir: null,
    outputsDir: home,
    phase: async (_name, work) => work(),
    stop: stop.signal,
    emit,
    log: (level, text) => emit({ type: 'log', level, text }),
    firstStepDone: () => {
      firstSteps += 1;
    },
  });
  return { events, outcome, runDir, firstSteps };
}

/** The scores of a run's epochs, without what depends on the clock. */
export const epochsOf = (events: readonly RunEventBody[]): Extract<RunEventBody, { type: 'epoch' }>[] =>
  events.flatMap((event) => (event.type === 'epoch' ? [{ ...event, time_s: 0, images_per_second: 0 }] : []));

export const logOf = (events: readonly RunEventBody[]): string =>
  events.flatMap((event) => (event.type === 'log' ? [`${event.level}: ${event.text}`] : [])).join('\n');
