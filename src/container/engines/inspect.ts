import { join } from 'node:path';
import { loadEngine, preference, type EngineName } from './engine';
import { installHint, installedVersion } from './installed';
import type { EngineReport } from './machineReport';

export interface InspectOptions {
  readonly wasmDir: string;
  readonly enginesDir: string;
}

/** Packages that an engine is made of, where the user installs them. */
const packages: Partial<Record<EngineName, readonly string[]>> = {
  tensorflow: ['@tensorflow/tfjs-node-gpu'],
  webgpu: ['webgpu', '@tensorflow/tfjs-backend-webgpu'],
};

const requirements: Partial<Record<EngineName, string>> = {
  tensorflow: `${installHint('tensorflow')}; it needs Linux or Windows on x64, an NVIDIA GPU, its driver from 450 on, CUDA 11.2 and cuDNN 8.1`,
  webgpu: `${installHint('webgpu')}; it needs a GPU with a driver for Vulkan, Metal or Direct3D 12`,
};

/** Tries every engine, the one that `auto` prefers first. The last one that works is tfjs's backend afterwards. */
export async function inspectEngines({ wasmDir, enginesDir }: InspectOptions): Promise<EngineReport[]> {
  const reports: EngineReport[] = [];
  for (const name of preference) {
    const versions: Record<string, string> = {};
    for (const packageName of packages[name] ?? []) {
      const version = installedVersion(join(enginesDir, name), packageName);
      if (version !== undefined) versions[packageName] = version;
    }
    const found = await loadEngine(name, { wasmDir, enginesDir, log: () => undefined }).then(
      ({ device, tf }) => ({ usable: true, device, problem: null, version: tf.version_core }),
      (error: unknown) => ({ usable: false, device: null, problem: reasonOf(error), version: undefined }),
    );
    if (found.version !== undefined) versions['@tensorflow/tfjs-core'] = found.version;
    const { usable, device, problem } = found;
    reports.push({ name, usable, device, versions, problem, howToGet: requirements[name] ?? null });
  }
  return reports;
}

/** The reason alone: whose it is, the report says. */
function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
