import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ContainerClient } from '../src/client/containerClient';
import { ensureSampleDataset } from '../src/container/data/sample/sampleDataset';
import type { RunEvent } from '../src/protocol/events';
import type { ContainerState } from '../src/protocol/container';
import { defaultParameters, type ParameterValues } from '../src/protocol/parameters';
import { CLASSIFIER } from '../src/protocol/recipes';
import { LocalTarget } from '../src/targets/local/localTarget';
import type { ContainerOptions } from '../src/targets/target';
import { OutputsVolume } from '../src/volume/outputsVolume';
import { median } from './statistics';
import { torchColdMs, type Torch } from './torchSide';

const STATUS_REQUESTS = 100;
/** On each warm container. */
const RERUNS = 5;
const MODEL = 'tiny_cnn';
const BATCH = 32;

export interface StartupFigures {
  /** Asking for a run without a container to its first step. */
  readonly coldFirstStepMs: number;
  /** Asking for the first run of a container that was warmed up before, to its first step. */
  readonly warmedFirstStepMs: number;
  /** Asking for the second run of a container to its first step. */
  readonly firstWarmFirstStepMs: number;
  /** The same of one of several reruns, one after the other. */
  readonly warmFirstStepMs: number;
  readonly stepMs: number;
  readonly coldOverWarm: number;
  readonly statusWhileTrainingMs: number;
  /** A Python process that imports PyTorch and takes one step of the same network on the same images. */
  readonly torchMs: number | null;
  /** PyTorch's over ours, the median of the rounds' ratios. */
  readonly torchOverCold: number | null;
  readonly torchOverWarmed: number | null;
  readonly torchOverWarm: number | null;
}

/** Of one round, in milliseconds. */
interface Times {
  readonly cold: number;
  readonly warmed: number;
  readonly firstWarm: number;
  readonly warm: number;
  readonly step: number;
  torch: number | undefined;
}

interface RunTimes {
  readonly firstStepMs: number;
  /** Of the later steps of the same run. */
  readonly stepMs: number;
}

/** What a user waits for. Cold starts, warm reruns and PyTorch alternate, so that ratios hold although times swing. */
export async function measureStartup(
  rounds: number,
  torch: Torch | undefined,
  threads: number,
): Promise<StartupFigures> {
  const home = mkdtempSync(join(tmpdir(), 'tiny-cats-bench-'));
  process.env.TINY_CATS_HOME = join(home, 'state');
  const dataDir = join(home, 'data');
  const target = LocalTarget.open({ bundleDir: resolve('dist'), outputsDir: join(home, 'outputs'), dataDir });
  try {
    const folder = await ensureSampleDataset(dataDir);
    return await measure(target, rounds, () =>
      torch === undefined ? undefined : torchColdMs(torch, { model: MODEL, threads, folder }),
    );
  } finally {
    await target.kill();
    rmSync(home, { recursive: true, force: true });
  }
}

async function measure(
  target: LocalTarget,
  rounds: number,
  torchMs: () => number | undefined,
): Promise<StartupFigures> {
  const times: Times[] = [];
  // A round that does not count: the images are decoded, and what Python and Node cache is cached.
  await withContainer(target, (client) => train(client, 1));
  torchMs();
  for (let round = 0; round < rounds; round += 1) {
    let warmed = 0;
    await withContainer(target, async (client) => {
      await client.start(options(1));
      await until(client, 'warm');
      warmed = (await train(client, 1)).firstStepMs;
    });
    await withContainer(target, async (client) => {
      const cold = (await train(client, 1)).firstStepMs;
      const reruns: RunTimes[] = [];
      while (reruns.length < RERUNS) {
        reruns.push(await train(client, 1));
      }
      const [first] = reruns;
      times.push({
        cold,
        warmed,
        firstWarm: first?.firstStepMs ?? 0,
        warm: median(reruns.map(({ firstStepMs }) => firstStepMs)),
        step: median(reruns.map(({ stepMs }) => stepMs)),
        torch: undefined,
      });
    });
    const last = times.at(-1);
    if (last) last.torch = torchMs();
  }
  const status = await statusWhileTraining(target);
  const ratios = (ours: 'cold' | 'warmed' | 'warm'): number | null => {
    const known = times.flatMap((time) => (time.torch === undefined ? [] : [time.torch / time[ours]]));
    return known.length > 0 ? median(known) : null;
  };
  const torchTimes = times.flatMap(({ torch }) => (torch === undefined ? [] : [torch]));
  return {
    coldFirstStepMs: median(times.map(({ cold }) => cold)),
    warmedFirstStepMs: median(times.map(({ warmed }) => warmed)),
    firstWarmFirstStepMs: median(times.map(({ firstWarm }) => firstWarm)),
    warmFirstStepMs: median(times.map(({ warm }) => warm)),
    stepMs: median(times.map(({ step }) => step)),
    coldOverWarm: median(times.map(({ cold, warm }) => cold / warm)),
    statusWhileTrainingMs: median(status),
    torchMs: torchTimes.length > 0 ? median(torchTimes) : null,
    torchOverCold: ratios('cold'),
    torchOverWarmed: ratios('warmed'),
    torchOverWarm: ratios('warm'),
  };
}

async function statusWhileTraining(target: LocalTarget): Promise<number[]> {
  const waits: number[] = [];
  await withContainer(target, (client) =>
    train(client, 20, async () => {
      await until(client, 'training');
      for (let request = 0; request < STATUS_REQUESTS; request += 1) {
        const askedAt = performance.now();
        await client.request('status', {});
        waits.push(performance.now() - askedAt);
      }
    }),
  );
  return waits;
}

function parameters(epochs: number): ParameterValues {
  return { ...defaultParameters(CLASSIFIER), backbone: MODEL, batch_size: BATCH, epochs };
}

function options(epochs: number): ContainerOptions {
  return {
    engine: 'wasm',
    port: 0,
    settings: { scaledownWindowMs: 60_000, keepDates: 0 },
    hint: { recipe: CLASSIFIER.name, params: parameters(epochs) },
  };
}

async function train(
  client: ContainerClient,
  epochs: number,
  during?: (runId: string) => Promise<void>,
): Promise<RunTimes> {
  const runId = await client.train(CLASSIFIER.name, parameters(epochs), options(epochs));
  const events: RunEvent[] = [];
  const ended = new Promise<void>((done) => {
    client.follow(runId, 0, (some) => {
      events.push(...some);
      if (some.some((event) => event.type === 'result')) {
        done();
      }
    });
  });
  await during?.(runId);
  await ended;
  await until(client, 'warm');
  const first = events.find((event) => event.type === 'first_step');
  const rates = events.flatMap((event) => (event.type === 'step' ? [event.images_per_second ?? 0] : []));
  if (first === undefined) {
    throw new Error('the run ended without a first step');
  }
  return {
    firstStepMs: first.time_to_first_step_ms,
    stepMs: (BATCH / median(rates)) * 1000,
  };
}

async function until(client: ContainerClient, state: ContainerState): Promise<void> {
  while (client.status?.state !== state) {
    await new Promise((done) => client.once('change', () => done(undefined)));
  }
}

async function withContainer(
  target: LocalTarget,
  work: (client: ContainerClient) => Promise<unknown>,
): Promise<void> {
  const client = new ContainerClient(target, new OutputsVolume(target.outputsDir), 'bench');
  try {
    await work(client);
    await client.cool();
  } finally {
    client.dispose();
  }
}
