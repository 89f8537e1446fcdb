import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { RUN_FILES } from '../../../volume/outputsVolume';
import type { TensorData } from '../../../volume/safetensors';
import { readHeader, readTensors } from '../../../volume/safetensors';
import type { AdamOptimizer } from '../../engines/trainingOps';
import type { RunContext } from '../recipe';
import type { Network } from './tinyCnn';

const STATE_PREFIX = 'optimizer/';

const bestSchema = v.nullable(v.object({ epoch: v.number(), val_acc: v.number() }));
export type Best = v.InferOutput<typeof bestSchema>;

/** The optimiser's tensors, for the checkpoint that a run goes on from. */
export async function stateTensors(optimizer: AdamOptimizer): Promise<TensorData[]> {
  return Object.entries(await optimizer.exportState()).map(([name, data]) => ({
    name: `${STATE_PREFIX}${name}`,
    shape: [data.length],
    data: Float32Array.from(data),
  }));
}

/**
 * Puts the last checkpoint in `dir` into network and optimiser and tells of it.
 * @returns the number of epochs finished, and the best of them
 */
export async function goOn(
  run: RunContext,
  dir: string,
  { network, optimizer }: { network: Network; optimizer: AdamOptimizer },
): Promise<{ epoch: number; best: Best }> {
  const path = join(dir, RUN_FILES.last);
  const { metadata } = await readHeader(path);
  const best = v.parse(bestSchema, JSON.parse(metadata.best ?? 'null'));
  const tensors = new Map<string, Float32Array>();
  const state: Record<string, Float32Array> = {};
  for (const [name, { data }] of await readTensors(path)) {
    if (!(data instanceof Float32Array)) {
      continue;
    }
    if (name.startsWith(STATE_PREFIX)) {
      state[name.slice(STATE_PREFIX.length)] = data;
    } else {
      tensors.set(name, data);
    }
  }
  network.store.import(tensors);
  optimizer.importState(state);
  const epoch = Number(metadata.epoch);
  run.emit({ type: 'resumed', epoch, step: 0, from: path });
  if (best !== null && dir !== run.runDir) {
    await copyFile(join(dir, RUN_FILES.best), join(run.runDir, RUN_FILES.best));
  }
  return { epoch, best };
}
