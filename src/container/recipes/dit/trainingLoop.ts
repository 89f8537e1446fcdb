import { setImmediate as nextTurn } from 'node:timers/promises';
import { learningRate } from '../classifier/schedule';
import { RunFailure } from '../recipe';
import type { StepScore } from '../task';
import type { CheckpointFacts } from './checkpoints';
import { saveCheckpoints } from './checkpoints';
import type { Examples } from './examples';
import { saveSamples } from './samples';

/** Progress events come no more often than this; the first step and the last always have one. */
const PROGRESS_INTERVAL_MS = 100;
/** Steps between two `metrics` events: as many as make about 100 of them, but not more than this. */
const MOST_METRICS_STEPS = 100;

export interface Training extends CheckpointFacts {
  readonly examples: Examples;
  /** Steps that an earlier run has done. */
  readonly firstStep: number;
}

/**
 * Trains to the end, or until told to stop; then the running step is finished and checkpoints are saved.
 * @returns the path of the best checkpoint
 */
export async function trainSteps(training: Training): Promise<{ stopped: boolean; best: string }> {
  const { run, learner, params, examples, firstStep } = training;
  const { steps } = params;
  const interval = Math.max(1, Math.min(MOST_METRICS_STEPS, Math.floor(steps / 100)));
  const pace = new Pace(examples.imagesPerStep);
  let recent = new Averages();
  let train_loss: number | null = null;
  let toldAt = -Infinity;
  let batches = await examples.of(firstStep);
  for (let step = firstStep; step < steps; step += 1) {
    const done = step + 1;
    const lr = learningRate(step, {
      highest: params.lr,
      warmupSteps: params.warmup_steps,
      totalSteps: steps,
    });
    pace.begin();
    const computing = learner.step(batches, {
      learningRate: lr,
      gradientClip: params.gradient_clip,
      weightDecay: params.weight_decay,
    });
    // Made while the workers compute.
    const coming = done < steps ? examples.of(done) : Promise.resolve(batches);
    const [score, next] = await Promise.all([computing, coming]);
    batches = next;
    pace.end();
    refuseDiverged(score, done, params.lr);
    recent.add({ train_loss: score.loss, gradient_norm: score.gradientNorm });
    if (step === firstStep) {
      run.firstStepDone();
    }
    const epoch = examples.epochAt(done);
    const now = performance.now();
    if (now - toldAt >= PROGRESS_INTERVAL_MS || done === steps) {
      toldAt = now;
      run.emit({
        type: 'step',
        span: 'run',
        epoch,
        epochs: examples.epochAt(steps),
        step: done,
        steps,
        loss: score.loss,
        lr,
        images_per_second: pace.imagesPerSecond,
      });
    }
    if (done % interval === 0 || done === steps) {
      const values = recent.means;
      train_loss = values.train_loss ?? null;
      run.emit({ type: 'metrics', step: done, steps, values: { ...values, lr } });
      recent = new Averages();
    }
    // Lets the supervisor's word in: a stop ends the run between two steps.
    await nextTurn();
    if (run.stop.aborted) {
      return {
        stopped: done < steps,
        best: await saveCheckpoints(training, { step: done, epoch, train_loss }),
      };
    }
    if (done % params.sample_interval === 0 || done === steps) {
      run.log('info', stepLine(done, steps, train_loss, lr));
      const best = await saveCheckpoints(training, { step: done, epoch, train_loss });
      const drawn = await saveSamples(training, done);
      if (done === steps || !drawn) {
        return { stopped: done < steps, best };
      }
    }
  }
  throw new Error('a run needs at least one step');
}

function refuseDiverged({ loss }: StepScore, step: number, lr: number): void {
  if (!Number.isFinite(loss)) {
    throw new RunFailure(
      'diverged',
      `The loss became ${loss} at step ${step}. Train with a lower lr (it is ${lr}).`,
    );
  }
}

function stepLine(step: number, steps: number, loss: number | null, lr: number): string {
  const width = String(steps).length;
  return `Step ${String(step).padStart(width)}/${steps} | Train loss: ${loss?.toFixed(4) ?? '-'} | LR: ${lr.toExponential(1)}`;
}

/** Images trained on in each second, sampling and saving not counted. */
class Pace {
  private steps = 0;
  private spentMs = 0;
  private begunAt = 0;

  constructor(private readonly imagesPerStep: number) {}

  begin(): void {
    this.begunAt = performance.now();
  }

  end(): void {
    this.steps += 1;
    this.spentMs += performance.now() - this.begunAt;
  }

  get imagesPerSecond(): number {
    return (this.steps * this.imagesPerStep) / Math.max(this.spentMs / 1000, 1e-6);
  }
}

/** Means of named values over steps. */
class Averages {
  private readonly sums = new Map<string, number>();
  private count = 0;

  add(values: Readonly<Record<string, number>>): void {
    this.count += 1;
    for (const [name, value] of Object.entries(values)) {
      this.sums.set(name, (this.sums.get(name) ?? 0) + value);
    }
  }

  get means(): Record<string, number> {
    return Object.fromEntries([...this.sums].map(([name, sum]) => [name, sum / this.count]));
  }
}
