/**
 * `npm run bench`: what a user waits for, measured on this machine. Cold starts and warm reruns alternate in one
 * process, so that their ratio holds although absolute times swing. `--json` prints the figures alone.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ContainerClient } from '../src/client/containerClient';
import type { RunEvent } from '../src/protocol/events';
import { defaultParameters } from '../src/protocol/parameters';
import { CLASSIFIER } from '../src/protocol/recipes';
import { LocalTarget } from '../src/targets/local/localTarget';
import { OutputsVolume } from '../src/volume/outputsVolume';

const ROUNDS = 5;
const STATUS_REQUESTS = 100;

const home = mkdtempSync(join(tmpdir(), 'tiny-cats-bench-'));
process.env.TINY_CATS_HOME = join(home, 'state');
const target = LocalTarget.open({
  bundleDir: resolve('dist'),
  outputsDir: join(home, 'outputs'),
  dataDir: join(home, 'data'),
});

function newClient(): ContainerClient {
  return new ContainerClient(target, new OutputsVolume(target.outputsDir), 'bench');
}

interface RunTimes {
  firstStepMs: number;
  /** The median of the later steps of the same run. */
  stepMs: number;
}

async function train(
  client: ContainerClient,
  epochs: number,
  during?: (runId: string) => Promise<void>,
): Promise<RunTimes> {
  const params = { ...defaultParameters(CLASSIFIER), epochs };
  const runId = await client.train(CLASSIFIER.name, params, {
    engine: 'auto',
    port: 0,
    settings: { scaledownWindowMs: 60_000, keepDates: 0 },
    hint: { recipe: CLASSIFIER.name, params },
  });
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
  const first = events.find((event) => event.type === 'first_step');
  const rates = events.flatMap((event) => (event.type === 'step' ? [event.images_per_second] : []));
  if (first === undefined) {
    throw new Error('the run ended without a first step');
  }
  return { firstStepMs: first.time_to_first_step_ms, stepMs: (32 / median(rates)) * 1000 };
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

async function measure(): Promise<Record<string, number>> {
  const cold: number[] = [];
  const warm: number[] = [];
  const step: number[] = [];
  const status: number[] = [];
  // The sample data set is drawn once, by a round that does not count.
  await withContainer((client) => train(client, 1));
  for (let round = 0; round < ROUNDS; round += 1) {
    await withContainer(async (client) => {
      cold.push((await train(client, 1)).firstStepMs);
      const rerun = await train(client, 1);
      warm.push(rerun.firstStepMs);
      step.push(rerun.stepMs);
    });
  }
  await withContainer(async (client) => {
    await train(client, 20, async () => {
      while (client.status?.state !== 'training') {
        await new Promise((done) => client.once('change', () => done(undefined)));
      }
      for (let request = 0; request < STATUS_REQUESTS; request += 1) {
        const askedAt = performance.now();
        await client.request('status', {});
        status.push(performance.now() - askedAt);
      }
    });
  });
  return {
    cold_first_step_ms: median(cold),
    warm_first_step_ms: median(warm),
    step_ms: median(step),
    warm_overhead_ms: median(warm) - median(step),
    cold_over_warm: median(cold) / median(warm),
    status_while_training_ms: median(status),
  };
}

async function withContainer(work: (client: ContainerClient) => Promise<unknown>): Promise<void> {
  const client = newClient();
  try {
    await work(client);
    await client.cool();
  } finally {
    client.dispose();
  }
}

async function main(): Promise<void> {
  try {
    const figures = await measure();
    const rounded = Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [name, Number(value.toFixed(1))]),
    );
    if (process.argv.includes('--json')) {
      console.log(JSON.stringify(rounded));
    } else {
      console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}`);
      console.table(rounded);
    }
  } finally {
    await target.kill();
    rmSync(home, { recursive: true, force: true });
  }
}

void main();
