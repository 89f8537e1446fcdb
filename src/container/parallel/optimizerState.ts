import type { TensorData } from '../../volume/safetensors';
import type { AdamState } from '../engines/trainingOps';

/**
 * The optimiser's state as named tensors, in the engine's layout: `optimizer/step`, and for each parameter
 * `optimizer/<name>/m`, `optimizer/<name>/v` and, where an average is kept, `average/<name>`.
 */
export function optimizerTensors(
  parameters: Readonly<Record<string, { readonly shape: readonly number[] }>>,
  moments: AdamState,
  averages: Readonly<Record<string, Float32Array>> = {},
): TensorData[] {
  const shapeOf = (name: string): readonly number[] => parameters[name]?.shape ?? [];
  return [
    ...Object.entries(moments).map(([name, data]) => ({
      name: `optimizer/${name}`,
      shape: shapeOf(name.replace(/\/[mv]$/, '')),
      data,
    })),
    ...Object.entries(averages).map(([name, data]) => ({
      name: `average/${name}`,
      shape: shapeOf(name),
      data,
    })),
  ];
}

/** @throws Error that names what is missing or has another size */
export function parseOptimizerTensors(
  parameters: Readonly<Record<string, { readonly size: number }>>,
  tensors: readonly TensorData[],
  withAverages: boolean,
): { moments: AdamState; averages: Record<string, Float32Array> } {
  const byName = new Map(tensors.map(({ name, data }) => [name, data]));
  const take = (name: string, size: number): Float32Array => {
    const data = byName.get(name);
    if (data?.length !== size) {
      const found = data === undefined ? 'is missing' : `has ${data.length}`;
      throw new Error(`The optimiser's "${name}" should have ${size} values, but ${found}`);
    }
    return data;
  };
  const moments: AdamState = { step: take('optimizer/step', 1) };
  const averages: Record<string, Float32Array> = {};
  for (const [name, { size }] of Object.entries(parameters)) {
    moments[`${name}/m`] = take(`optimizer/${name}/m`, size);
    moments[`${name}/v`] = take(`optimizer/${name}/v`, size);
    if (withAverages) averages[name] = take(`average/${name}`, size);
  }
  return { moments, averages };
}
