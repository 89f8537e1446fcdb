import * as v from 'valibot';
import type { ContainerState, DeviceFacts, Usage } from './container';
import type { HeldMemory, Phase, RunEvent } from './events';
import type { ParameterProblem, ParameterValues, RecipeSpec } from './parameters';
import { parameterValuesSchema } from './parameters';
import { locationSchema } from './run';
import type { SweepRecord } from './sweep';
import type { RunView } from './runView';

/** The container as the user sees it: `cold` when there is none. */
export interface ContainerView {
  state: 'cold' | ContainerState;
  /** `reconnecting`: the link dropped and is being restored; the run goes on meanwhile. */
  link: 'none' | 'connected' | 'reconnecting';
  target: string;
  engine: string;
  device: string;
  deviceFacts: DeviceFacts | null;
  /** Memory that earlier runs left behind; null if it does not grow. */
  heldMemory: HeldMemory | null;
  /** Why what the enter hook made is out of date; null if it is not. */
  restartNeeded: string | null;
  enterPhases: Phase[];
  /** It warms up, and has made no progress for longer than it should take. */
  warmUpStalled?: boolean;
  /** The run that has made no progress for longer than it should take. */
  stalledRun: string | null;
  /** Runs that wait for the one that trains. */
  queued?: number;
  idleRemainingMs: number | null;
  /** What it was up for; undefined while there is none. */
  usage?: Usage | undefined;
  /** In US dollars; undefined or 0 where nobody has set a price. */
  pricePerHour?: number | undefined;
  /** It has been left warm for too long, and is let go after that time unless it is kept. */
  letGoInMs?: number | null;
  /** Why the last start or link failed, in words for the user. */
  problem: string | null;
}

/** The start of the last cold run, to show beside this one. */
export interface ColdStart {
  runId: string;
  phases: Phase[];
  timeToFirstStepMs: number | null;
}

/** A recipe and values for its form. */
export interface RecipeForm {
  spec: RecipeSpec;
  params: ParameterValues;
}

/** Host to panel. A snapshot comes whenever the panel becomes visible or shows another run; then increments. */
export type HostToPanel =
  | {
      type: 'snapshot';
      /** What can be trained. */
      recipes: RecipeForm[];
      /** Which of them is trained next. */
      recipe: string;
      run: RunView | null;
      /** The run that the user chose to look at; null while the newest is shown, whichever that is. */
      chosen: string | null;
      coldStart: ColdStart | null;
      container: ContainerView;
      /** Whether a container may be started here at all (workspace trust, a folder is open). */
      mayTrain: boolean;
      /** The sweep that the shown run is a part of. */
      sweep: SweepRecord | null;
    }
  /** What is shown of that sweep has changed. */
  | { type: 'sweep'; sweep: SweepRecord | null }
  | { type: 'events'; events: RunEvent[] }
  | { type: 'container'; container: ContainerView }
  /** A folder was chosen for a parameter. */
  | { type: 'parameter'; name: string; value: string }
  /** The answer to `wantSample`: a PNG as a data URL, null if it cannot be read. */
  | { type: 'sample'; runId: string; file: string; dataUrl: string | null }
  /** The parameters sent with `train` cannot be taken. */
  | { type: 'problems'; problems: ParameterProblem[] };

/** Panel to host. */
export const panelToHostSchema = v.variant('type', [
  v.object({ type: v.literal('ready') }),
  v.object({ type: v.literal('train'), recipe: v.string(), params: parameterValuesSchema }),
  /** What is varied is asked for. */
  v.object({ type: v.literal('sweep'), recipe: v.string(), params: parameterValuesSchema }),
  v.object({ type: v.literal('stopSweep'), sweepId: v.string() }),
  v.object({ type: v.literal('openRun'), runId: v.string() }),
  v.object({ type: v.literal('rerun') }),
  /** `kill`: without waiting for the running step. */
  v.object({ type: v.literal('stop'), kill: v.boolean() }),
  v.object({ type: v.literal('chooseFolder'), name: v.string() }),
  v.object({ type: v.literal('inspect'), file: v.string() }),
  v.object({ type: v.literal('openLog') }),
  /** A line of the user's code, as a line of the log or an error names it. */
  v.object({ type: v.literal('openLocation'), location: locationSchema }),
  v.object({ type: v.literal('restart') }),
  /** A grid of generated images is to be shown; `file` as its event named it. */
  v.object({ type: v.literal('wantSample'), runId: v.string(), file: v.string() }),
  /** The panel saw a gap in the events and wants a snapshot. */
  v.object({ type: v.literal('resync') }),
]);
export type PanelToHost = v.InferOutput<typeof panelToHostSchema>;

/** What was chosen and filled into the form, and not trained yet. */
export const formDraftSchema = v.object({
  /** What would have been trained next without it. */
  next: v.string(),
  recipe: v.string(),
  /** Of the fields that were edited, by parameter. */
  texts: v.record(v.string(), v.string()),
});
export type FormDraft = v.InferOutput<typeof formDraftSchema>;

/** What the panel keeps while it is hidden and over a reload: enough to ask for the rest. */
export const panelStateSchema = v.object({
  runId: v.nullable(v.string()),
  draft: v.optional(formDraftSchema),
});
export type PanelState = v.InferOutput<typeof panelStateSchema>;
