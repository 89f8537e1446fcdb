import { loadEngine } from '../engines/engine';
import { createClassifier } from '../recipes/classifier/classifier';
import type { Recipe, TimedPhase } from '../recipes/recipe';
import type { EnterOptions } from '../trainerProtocol';

export interface Entered {
  engine: string;
  device: string;
  recipes: ReadonlyMap<string, Recipe>;
}

/** The enter hook, from the device on: everything that needs to be done once for all runs of this container. */
export async function enter(
  options: EnterOptions,
  phase: TimedPhase,
  log: (text: string) => void,
): Promise<Entered> {
  const { wasmDir, enginesDir, dataDir, hint } = options;
  const { engine, recipe } = await phase('device initialisation', async () => {
    const loaded = await loadEngine(options.engine, { wasmDir, enginesDir, log, phase });
    const classifier = createClassifier({ engine: loaded, wasmDir, dataDir });
    await phase('warm-up', () => classifier.warmUp(hint.params, phase));
    return { engine: loaded, recipe: classifier };
  });
  await recipe.prepare(hint.params, phase);
  return { engine: engine.name, device: engine.device, recipes: new Map([[recipe.name, recipe]]) };
}
