import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import esbuild from 'esbuild';
import { loadEngine, type Engine } from '../src/container/engines/engine';
import { compileKernels } from '../src/container/engines/wasm/kernelModule';
import { createLearner } from '../src/container/parallel/createLearner';
import { WorkerPool } from '../src/container/parallel/workerPool';
import { workerCount } from '../src/container/parallel/workerCount';
import type { Learner } from '../src/container/recipes/task';
import { median } from './statistics';
import { findTask, subjects, type Subject } from './tasks';
import { TorchTraining, type Duration, type Torch } from './torchSide';

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
  /**
   * The same of processor time, which other programs disturb less; with one thread on a machine that does nothing else
   * both are the same. Null for several threads.
   */
  readonly processorRatio: number | null;
}

export interface TrainingOptions {
  readonly rounds: number;
  readonly torch: Torch | undefined;
  /** Names of subjects; all where it is empty. */
  readonly only: readonly string[];
  readonly threads: readonly number[];
  /** Told about each result. */
  readonly progress: (text: string) => void;
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
  const pool =
    threads > 1
      ? new WorkerPool({ workers: threads, script, wasmDir, kernels: compileKernels(wasmDir), died })
      : undefined;
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
  { rounds, torch, progress }: TrainingOptions,
): Promise<TrainingFigures> {
  const batch = subject.makeBatch();
  const ours = async (steps: number): Promise<Duration> => {
    const startedAt = performance.now();
    const before = process.cpuUsage();
    for (let step = 0; step < steps; step += 1) await learner.step(batch, OPTIONS);
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - startedAt) / 1e3, processorSeconds: (user + system) / 1e6 };
  };
  const theirs = torch === undefined ? undefined : new TorchTraining(torch, subject.name, learner.workers);
  try {
    const figures = await compare(learner, subject, { rounds, ours, theirs });
    progress(
      `${subject.title}, ${figures.threads} threads: ${figures.stepsPerSecond.toFixed(2)} steps/s, ratio ${figures.ratio?.toFixed(2) ?? '-'}`,
    );
    return figures;
  } finally {
    theirs?.end();
  }
}

interface Sides {
  readonly rounds: number;
  /** What so many steps take. */
  readonly ours: (steps: number) => Promise<Duration>;
  readonly theirs: TorchTraining | undefined;
}

async function compare(
  learner: Learner,
  subject: Subject,
  { rounds, ours, theirs }: Sides,
): Promise<TrainingFigures> {
  const parameters = (await learner.exportState())
    .filter(({ name }) => name.endsWith('/m'))
    .reduce((sum, { data }) => sum + data.length, 0);
  const theirParameters = await theirs?.parameters();
  if (theirParameters !== undefined && theirParameters !== parameters) {
    throw new Error(`${subject.name}: ${parameters} parameters here, ${theirParameters} in PyTorch`);
  }
  await ours(subject.steps);
  await theirs?.run(subject.steps);
  const own: Duration[] = [];
  const their: Duration[] = [];
  for (let round = 0; round < rounds; round += 1) {
    own.push(await ours(subject.steps));
    if (theirs) their.push(await theirs.run(subject.steps));
  }
  const ratio = (of: (duration: Duration) => number): number | null => {
    const ratios = own.flatMap((time, round) => {
      const other = their[round];
      return other ? [of(other) / of(time)] : [];
    });
    return ratios.length > 0 ? median(ratios) : null;
  };
  return {
    subject: subject.title,
    threads: learner.workers,
    parameters,
    stepsPerSecond: subject.steps / median(own.map(({ seconds }) => seconds)),
    torchStepsPerSecond:
      their.length > 0 ? subject.steps / median(their.map(({ seconds }) => seconds)) : null,
    ratio: ratio(({ seconds }) => seconds),
    // Threads that wait for each other keep the processor busy, so that it says nothing about several.
    processorRatio: learner.workers === 1 ? ratio(({ processorSeconds }) => processorSeconds) : null,
  };
}
