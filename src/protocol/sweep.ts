import * as v from 'valibot';
import { engineChoiceSchema } from './container';
import type { ParameterValues, RecipeSpec } from './parameters';
import { ParameterError, checkParameters, parameterValueSchema, parameterValuesSchema } from './parameters';
import { programSchema } from './program';
import { containerSettingsSchema } from './rpc';
import { count } from './schema';

export const SWEEP_RECORD_VERSION = 1;
/** More trainings than anybody waits for: a slip of the finger in a grid. */
export const MAX_TRIALS = 1000;
/** Containers of one sweep at a time. */
export const MAX_JOBS = 64;

/** A parameter that a sweep varies, and its values. */
export const sweepAxisSchema = v.object({
  name: v.string(),
  values: v.pipe(v.array(parameterValueSchema), v.minLength(1)),
});
export type SweepAxis = v.InferOutput<typeof sweepAxisSchema>;

/** `starting`: a container was asked for it, and has not said the run's id yet. */
export const trialStateSchema = v.picklist([
  'waiting',
  'starting',
  'running',
  'completed',
  'failed',
  'stopped',
]);
export type TrialState = v.InferOutput<typeof trialStateSchema>;

/** One training of a sweep. */
export const trialSchema = v.object({
  /** Values of the varied parameters. */
  values: parameterValuesSchema,
  state: trialStateSchema,
  /** From 1; 0 before the first. */
  attempt: count,
  /** Which container of the target has or had it. */
  slot: v.optional(count),
  /** The newest of its runs. */
  runId: v.optional(v.string()),
  epoch: count,
  epochs: count,
  /** Validation accuracy after each epoch. */
  curve: v.array(v.number()),
  best: v.nullable(v.number()),
  /** The newest training loss. */
  loss: v.nullable(v.number()),
  startedAt: v.optional(v.string()),
  endedAt: v.optional(v.string()),
  error: v.optional(v.string()),
});
export type Trial = v.InferOutput<typeof trialSchema>;

/** `stopping`: nothing begins any more, and what trains is stopped. */
export const sweepStateSchema = v.picklist(['running', 'stopping', 'completed', 'stopped']);
export type SweepState = v.InferOutput<typeof sweepStateSchema>;

/** A sweep as `sweeps/<id>.json` keeps it: all that is needed to go on with it, and to compare its trainings. */
export const sweepRecordSchema = v.object({
  schemaVersion: v.literal(SWEEP_RECORD_VERSION),
  sweepId: v.string(),
  recipe: v.string(),
  /** What trains it; a version before had the recipes alone. */
  program: v.optional(programSchema),
  /** Parameters that all trainings share. */
  params: parameterValuesSchema,
  axes: v.array(sweepAxisSchema),
  trials: v.array(trialSchema),
  /** Most containers at a time. */
  jobs: v.pipe(count, v.minValue(1), v.maxValue(MAX_JOBS)),
  target: v.string(),
  /** How it is configured, as in the settings; checked by who opens it. */
  targetConfig: v.unknown(),
  engine: engineChoiceSchema,
  settings: containerSettingsSchema,
  state: sweepStateSchema,
  createdAt: v.string(),
  endedAt: v.optional(v.string()),
  /** Why a container could not be had, in words for the user. */
  problem: v.optional(v.string()),
});
export type SweepRecord = v.InferOutput<typeof sweepRecordSchema>;

const FINAL_TRIALS: ReadonlySet<TrialState> = new Set(['completed', 'failed', 'stopped']);

export function isTrialFinal({ state }: Pick<Trial, 'state'>): boolean {
  return FINAL_TRIALS.has(state);
}

export function isSweepFinal({ state }: Pick<SweepRecord, 'state'>): boolean {
  return state === 'completed' || state === 'stopped';
}

/** Every combination of the axes' values, the last axis varying fastest. */
export function grid(axes: readonly SweepAxis[]): ParameterValues[] {
  return axes.reduce<ParameterValues[]>(
    (rows, { name, values }) => rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))),
    [{}],
  );
}

/**
 * The trainings of a sweep: those parameters of each, checked.
 * @throws ParameterError naming the parameter, also for a sweep over nothing or over too much
 */
export function planTrials(
  recipe: RecipeSpec,
  params: ParameterValues,
  axes: readonly SweepAxis[],
): { params: ParameterValues; trials: Trial[] } {
  const [first] = axes;
  if (first === undefined) {
    throw new ParameterError([
      { name: '', message: 'A sweep needs at least one parameter with more than one value.' },
    ]);
  }
  const total = axes.reduce((product, { values }) => product * values.length, 1);
  if (total > MAX_TRIALS) {
    const message = `${first.name}: the sweep would have ${total} trainings; at most ${MAX_TRIALS} are possible`;
    throw new ParameterError([{ name: first.name, message }]);
  }
  const shared = checkParameters(recipe, {
    ...params,
    ...Object.fromEntries(axes.map(({ name, values }) => [name, values[0] ?? ''])),
  });
  const trials = grid(axes).map((values) => {
    const checked = checkParameters(recipe, { ...shared, ...values });
    const epochs = typeof checked.epochs === 'number' ? checked.epochs : 0;
    return {
      values,
      state: 'waiting' as const,
      attempt: 0,
      epoch: 0,
      epochs,
      curve: [],
      best: null,
      loss: null,
    };
  });
  return { params: shared, trials };
}

/** "lr 0.001 · batch_size 32" */
export function trialTitle({ values }: Pick<Trial, 'values'>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(' · ');
}

/** Indices of the trials, the best first; those without an accuracy in their own order after them. */
export function ranking(trials: readonly Trial[]): number[] {
  return trials
    .map((_, index) => index)
    .sort((a, b) => (trials[b]?.best ?? -1) - (trials[a]?.best ?? -1) || a - b);
}

/** How many of a sweep's trials are where. */
export function tallyOf({ trials }: Pick<SweepRecord, 'trials'>): {
  ended: number;
  failed: number;
  running: number;
  total: number;
  best: number | null;
} {
  const of = (...states: TrialState[]): number => trials.filter(({ state }) => states.includes(state)).length;
  const scores = trials.flatMap(({ best }) => (best === null ? [] : [best]));
  return {
    ended: trials.filter(isTrialFinal).length,
    failed: of('failed'),
    running: of('starting', 'running'),
    total: trials.length,
    best: scores.length === 0 ? null : Math.max(...scores),
  };
}
