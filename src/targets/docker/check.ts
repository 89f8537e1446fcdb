import type { Finding } from '../target';
import { ContainerStartError } from '../target';
import { describeAddress } from './address';
import type { DockerConfig } from './config';
import { Engine } from './engine';
import type { EngineFacts } from './engine';
import { gpuRemedy, gpuWish, offersGpus } from './gpu';
import { findImage, imageSource } from './image';

const GIB = 1024 ** 3;
/** As engines and images name them, each in its own way. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  amd64: 'amd64',
  aarch64: 'arm64',
  arm64: 'arm64',
};

/** What is missing for a container of that target. Changes nothing. */
export async function checkDocker(
  config: DockerConfig,
  bundleDir: string,
  signal?: AbortSignal,
): Promise<Finding[]> {
  let engine: Engine;
  try {
    engine = await Engine.find(config, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ContainerStartError) {
      return error.message.split('\n').map(asFinding);
    }
    throw error;
  }
  const facts = await engine.facts();
  const wish = await gpuWish(config.gpu, engine);
  signal?.throwIfAborted();
  return [
    {
      severity: 'ok',
      what: `${engine.title} ${facts.ServerVersion} answers at ${describeAddress(engine.address)}`,
    },
    ...platform(engine, facts),
    ...(await gpu(engine, config)),
    await image(engine, facts, config, wish.choice !== 'none', bundleDir),
    ...limits(facts, config),
  ];
}

/** "… Mend it with: command" as the two that it is. */
function asFinding(text: string): Finding {
  const [what = text, remedy] = text.split(' Mend it with: ');
  return { severity: 'error', what, ...(remedy === undefined ? {} : { remedy }) };
}

function platform(engine: Engine, { OSType, Architecture }: EngineFacts): Finding[] {
  if (OSType !== 'linux') {
    return [
      {
        severity: 'error',
        what: `${engine.title} runs ${OSType} containers; the training container is a Linux one`,
        remedy: 'docker context use desktop-linux',
      },
    ];
  }
  return Architecture in ARCHITECTURES
    ? []
    : [{ severity: 'error', what: `Its architecture, ${Architecture}, has no image: amd64 and arm64 have` }];
}

async function gpu(engine: Engine, { gpu: wanted }: DockerConfig): Promise<Finding[]> {
  if (wanted === 'none') {
    return [];
  }
  if (await offersGpus(engine)) {
    return [{ severity: 'ok', what: `${engine.title} can hand NVIDIA GPUs on` }];
  }
  const what =
    engine.kind === 'docker'
      ? 'Docker has no NVIDIA runtime'
      : 'There is no CDI description of an NVIDIA GPU';
  if (wanted === 'auto') {
    return [{ severity: 'ok', what: `${what}: it trains on the CPU` }];
  }
  // From another machine it cannot be told for sure.
  return [{ severity: engine.isHere ? 'error' : 'warning', what, remedy: gpuRemedy(engine) }];
}

async function image(
  engine: Engine,
  { Architecture }: EngineFacts,
  config: DockerConfig,
  withGpu: boolean,
  bundleDir: string,
): Promise<Finding> {
  const source = await imageSource(config.image, withGpu, bundleDir);
  const found = await findImage(engine, source.name);
  if (found === undefined) {
    return source.from === 'containerfile'
      ? { severity: 'ok', what: 'The container image will be built at the first start' }
      : {
          severity: 'warning',
          what: `The image ${source.name} is not there yet: the first start pulls it`,
          remedy: `${engine.kind} pull ${source.name}`,
        };
  }
  const wanted = ARCHITECTURES[Architecture];
  if (found.Architecture !== undefined && wanted !== undefined && found.Architecture !== wanted) {
    return {
      severity: 'error',
      what: `The image ${source.name} is for ${found.Architecture}, and the engine's machine is ${wanted}`,
      remedy: `${engine.kind} pull --platform linux/${wanted} ${source.name}`,
    };
  }
  return { severity: 'ok', what: `The image ${source.name} is there` };
}

function limits({ NCPU, MemTotal, MemoryLimit }: EngineFacts, { cpus, memoryMiB }: DockerConfig): Finding[] {
  const findings: Finding[] = [];
  if (memoryMiB !== undefined && !MemoryLimit) {
    findings.push({
      severity: 'warning',
      what: 'This engine cannot limit memory: "memoryMiB" has no effect',
    });
  }
  if (memoryMiB !== undefined && MemTotal !== undefined && memoryMiB * 1024 ** 2 > MemTotal) {
    const there = (MemTotal / GIB).toFixed(1);
    findings.push({
      severity: 'warning',
      what: `"memoryMiB" is more than the ${there} GiB of the engine's machine`,
    });
  }
  if (cpus !== undefined && NCPU !== undefined && cpus > NCPU) {
    findings.push({ severity: 'error', what: `"cpus" is ${cpus}, and the engine's machine has ${NCPU}` });
  }
  return findings;
}
