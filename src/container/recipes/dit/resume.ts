import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { OutputsVolume, RUN_FILES } from '../../../volume/outputsVolume';
import type { TensorData } from '../../../volume/safetensors';
import { readHeader, readTensors } from '../../../volume/safetensors';
import * as v from 'valibot';
import { parameterValuesSchema } from '../../../protocol/parameters';
import type { RunContext } from '../recipe';
import { isTrainingState } from '../weights/trainingState';
import { RunFailure } from '../recipe';
import type { DitParams } from './params';
import { ditParams } from './params';

const metadataSchema = v.object({
  recipe: v.literal('dit'),
  step: v.pipe(v.string(), v.transform(Number), v.integer()),
  classes: v.pipe(v.string(), v.parseJson(), v.array(v.string())),
  params: v.pipe(v.string(), v.parseJson(), parameterValuesSchema),
});

/** A run to go on with. */
export interface Resumed {
  /** Of the earlier run, but for where to put the outcome and how many threads compute. */
  readonly params: DitParams;
  /** Steps that are done. */
  readonly step: number;
  readonly classes: readonly string[];
  readonly path: string;
  /** Weights, and the state of the optimiser and the average, as they were saved. */
  readonly parameters: readonly TensorData[];
  readonly state: readonly TensorData[];
}

/**
 * Reads the last checkpoint of the run that the parameter `resume` names.
 * @throws RunFailure if there is no such run, or none that can be gone on with
 */
export async function readResumed(run: RunContext, params: DitParams): Promise<Resumed> {
  const path = await lastCheckpoint(run, params.resume);
  const refused = (reason: string) =>
    new RunFailure('parameters', `resume: the run cannot be gone on with; ${path}: ${reason}`);
  let parsed: v.InferOutput<typeof metadataSchema>;
  const tensors: TensorData[] = [];
  try {
    const { metadata } = await readHeader(path);
    parsed = v.parse(metadataSchema, metadata);
    for (const [name, { shape, data }] of await readTensors(path)) {
      tensors.push({ name, shape, data });
    }
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error));
  }
  const earlier = ditParams(parsed.params);
  if (parsed.step >= earlier.steps) {
    throw refused(`all its ${earlier.steps} steps are done`);
  }
  const { output, num_workers, resume } = params;
  return {
    params: { ...earlier, output, num_workers, resume },
    step: parsed.step,
    classes: parsed.classes,
    path,
    parameters: tensors.filter(({ name }) => !isTrainingState(name)),
    state: tensors.filter(({ name }) => isTrainingState(name)),
  };
}

async function lastCheckpoint({ outputsDir }: RunContext, wanted: string): Promise<string> {
  const found = await new OutputsVolume(outputsDir).findRun(wanted);
  const dir = found ?? resolve(outputsDir, wanted);
  const path = dir.endsWith('.safetensors') ? dir : join(dir, RUN_FILES.last);
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (!exists) {
    throw new RunFailure(
      'parameters',
      `resume: expected the id or folder of a run, got "${wanted}"; there is no ${path}`,
    );
  }
  return path;
}
