import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import esbuild from 'esbuild';
import { loadEngine, type Engine } from '../src/container/engines/engine';
import { createLearner } from '../src/container/parallel/createLearner';
import { WorkerPool } from '../src/container/parallel/workerPool';
import { workerCount } from '../src/container/parallel/workerCount';
import type { Learner } from '../src/container/recipes/task';
import { median } from './statistics';
import { findTask, subjects, type Subject } from './tasks';
import { TorchTraining, type Torch } from './torchSide';

const wasmDir = resolve('dist', 'wasm');
const OPTIONS = { learningRate: 1e-4, gradientClip: 1, weightDecay: 1e-4 };

export interface TrainingFigures {
  readonly subject: string;
  readonly threads: number;
  readonly parameters: number;
  /** Steps each second, the median of the rounds. */
  readonly stepsPerSecond: number;
  readonly torchStepsPerSecond: number | null;
  /** Ours over PyTorch's: the median of the rounds' ratios, since neighbours in time share what else the machine does. */
  readonly ratio: number | null;
}

export interface TrainingOptions {
  readonly rounds: number;
  readonly torch: Torch | undefined;
  /** Names of subjects; all where it is empty. */
  readonly only: readonly string[];
  readonly threads: readonly number[];
}

/** Measures each subject: a round of ours, a round of PyTorch's, and again. */
export async function measureTraining(options: TrainingOptions): Promise<TrainingFigures[]> {
  const home = mkdtempSync(join(tmpdir(), 'tiny-cats-bench-'));
  const script = join(home, 'worker.js');
  await esbuild.build({
    entryPoints: [resolve('bench', 'worker.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  });
  const engine = await loadEngine('wasm', { wasmDir, enginesDir: home, log: () => undefined });
  const figures: TrainingFigures[] = [];
  try {
    const threadCounts = options.threads.length > 0 ? options.threads : [1, workerCount(0)];
    for (const threads of new Set(threadCounts)) {
      const chosen = subjects.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
      for (const subject of chosen) {
        figures.push(
          await withLearner(engine, script, subject, threads, (learner) =>
            measure(learner, subject, options),
          ),
        );
      }
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  return figures;
}

async function withLearner<T>(
  engine: Engine,
  script: string,
  { task, spec }: Subject,
  threads: number,
  work: (learner: Learner) => Promise<T>,
): Promise<T> {
  const died = (error: Error): void => {
    throw error;
  };
  const pool = threads > 1 ? new WorkerPool({ workers: threads, script, wasmDir, died }) : undefined;
  const learner = await createLearner(findTask(task), spec, { engine, pool });
  try {
    await learner.initialise(1);
    return await work(learner);
  } finally {
    await learner.dispose();
    await pool?.dispose();
  }
}

async function measure(
  learner: Learner,
  subject: Subject,
  { rounds, torch }: TrainingOptions,
): Promise<TrainingFigures> {
  const batch = subject.makeBatch();
  const ours = async (steps: number): Promise<number> => {
    const startedAt = performance.now();
    for (let step = 0; step < steps; step += 1) await learner.step(batch, OPTIONS);
    return (performance.now() - startedAt) / 1000;
  };
  const theirs = torch === undefined ? undefined : new TorchTraining(torch, subject.name, learner.workers);
  const parameters = (await learner.exportState())
    .filter(({ name }) => name.endsWith('/m'))
    .reduce((sum, { data }) => sum + data.length, 0);
  const theirParameters = await theirs?.parameters();
  if (theirParameters !== undefined && theirParameters !== parameters) {
    throw new Error(`${subject.name}: ${parameters} parameters here, ${theirParameters} in PyTorch`);
  }
  await ours(subject.steps);
  await theirs?.run(subject.steps);
  const times: { ours: number; theirs: number | undefined }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    times.push({ ours: await ours(subject.steps), theirs: await theirs?.run(subject.steps) });
  }
  theirs?.end();
  const theirTimes = times.flatMap((time) => (time.theirs === undefined ? [] : [time.theirs]));
  const ratios = times.flatMap((time) => (time.theirs === undefined ? [] : [time.theirs / time.ours]));
  return {
    subject: subject.title,
    threads: learner.workers,
    parameters,
    stepsPerSecond: subject.steps / median(times.map((time) => time.ours)),
    torchStepsPerSecond: theirTimes.length > 0 ? subject.steps / median(theirTimes) : null,
    ratio: ratios.length > 0 ? median(ratios) : null,
  };
}
