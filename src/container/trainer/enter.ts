import { join } from 'node:path';
import { BatchWorkers } from '../data/batchWorkers';
import { loadEngine } from '../engines/engine';
import { Learners } from '../parallel/learners';
import { createClassifier } from '../recipes/classifier/classifier';
import { createDit } from '../recipes/dit/dit';
import type { WorkerPool } from '../parallel/workerPool';
import type { Recipe, TimedPhase } from '../recipes/recipe';
import type { EnterOptions } from '../trainerProtocol';

export interface Entered {
  engine: string;
  device: string;
  recipes: ReadonlyMap<string, Recipe>;
}

export interface EnterContext {
  readonly phase: TimedPhase;
  readonly log: (text: string) => void;
  /** Whether a run waits for the end of the enter hook. */
  readonly isAwaited: () => boolean;
  /** Threads to compute with, if they were started already. */
  readonly threads: WorkerPool | undefined;
  /** Ends the trainer, which lost a part of itself. */
  readonly die: (error: Error) => void;
}

/** The enter hook, from the device on: everything that needs to be done once for all runs of this container. */
export async function enter(
  options: EnterOptions,
  { phase, log, isAwaited, threads, die }: EnterContext,
): Promise<Entered> {
  const { wasmDir, enginesDir, dataDir, hint } = options;
  const preparation = { params: hint.params, phase, isAwaited };
  const { engine, recipes, hinted } = await phase('device initialisation', async () => {
    const loaded = await loadEngine(options.engine, {
      wasmDir,
      enginesDir,
      log,
      phase,
      kernels: threads?.kernels,
    });
    const script = join(__dirname, 'trainer-worker.js');
    const learners = new Learners(loaded, { script, wasmDir, died: die, ahead: threads });
    const warm = { engine: loaded, learners, batchWorkers: new BatchWorkers({ log }), wasmDir, dataDir };
    const made = [createClassifier(warm), createDit(warm)];
    const next = made.find(({ name }) => name === hint.recipe);
    if (next !== undefined) {
      await phase('warm-up', () => next.warmUp(preparation));
    }
    return { engine: loaded, recipes: made, hinted: next };
  });
  await hinted?.prepare(preparation);
  return {
    engine: engine.name,
    device: engine.device,
    recipes: new Map(recipes.map((recipe) => [recipe.name, recipe])),
  };
}
