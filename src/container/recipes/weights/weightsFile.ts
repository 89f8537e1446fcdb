import { readHeader, readTensors, type TensorData } from '../../../volume/safetensors';
import { withTorchStateDict } from '../../../volume/torch';
import { RunFailure } from '../recipe';

/** The tensors of a file of weights, whatever its format. */
export interface StoredWeights {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Values as float32, in the order asked for. */
  read(names: readonly string[]): Promise<TensorData[]>;
}

/**
 * Opens a `.safetensors` file or a PyTorch state dict (`.pt`, `.pth`, `.bin`) for as long as `use` runs.
 * @throws RunFailure that begins with `what` (the parameter that named the file) if it cannot be read
 */
export async function withWeights<T>(
  what: string,
  path: string,
  use: (weights: StoredWeights) => Promise<T>,
): Promise<T> {
  const extension = /\.[^./\\]*$/.exec(path)?.[0].toLowerCase() ?? '';
  const open = {
    '.safetensors': withSafetensors,
    '.pt': withTorchStateDict,
    '.pth': withTorchStateDict,
    '.bin': withTorchStateDict,
  }[extension];
  if (open === undefined) {
    throw new RunFailure('weights', `${what}: expected a .safetensors, .pt or .pth file, got "${path}"`);
  }
  try {
    return await open(path, use);
  } catch (error) {
    if (error instanceof RunFailure) {
      throw error;
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new RunFailure('weights', `${what}: ${reason}`);
  }
}

async function withSafetensors<T>(path: string, use: (weights: StoredWeights) => Promise<T>): Promise<T> {
  const header = await readHeader(path);
  return use({
    shapes: new Map(header.tensors.map(({ name, shape }) => [name, shape])),
    read: async (names) => {
      const tensors = await readTensors(path, names);
      return [...tensors].map(([name, { shape, data }]) => ({ name, shape, data }));
    },
  });
}
