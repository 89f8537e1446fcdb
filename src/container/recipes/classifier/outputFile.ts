import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../../../volume/atomicFile';
import { confine } from '../../../volume/confine';
import type { RunContext } from '../recipe';
import { RunFailure } from '../recipe';

/**
 * Where the parameter `output` wants the best checkpoint; undefined if it is not given.
 * @throws RunFailure if that is outside the outputs volume or no .safetensors file
 */
export async function resolveOutput(run: RunContext, output: string): Promise<string | undefined> {
  if (output === '') {
    return undefined;
  }
  if (!output.endsWith('.safetensors')) {
    throw new RunFailure('parameters', `output: expected the name of a .safetensors file, got "${output}"`);
  }
  try {
    return await confine(run.outputsDir, output);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RunFailure('parameters', `output: expected a path inside the outputs volume; ${reason}`);
  }
}

/** Copies the best checkpoint there, whole. */
export async function copyOutput(best: string, destination: string): Promise<void> {
  await mkdir(dirname(destination), { recursive: true });
  await writeFileAtomic(destination, await readFile(best));
}
