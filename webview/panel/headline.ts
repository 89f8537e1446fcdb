import { containerCost } from '../../src/protocol/cost';
import type { ContainerView } from '../../src/protocol/panel';
import type { RunState } from '../../src/protocol/run';
import { isFinal } from '../../src/protocol/run';
import type { RunView } from '../../src/protocol/runView';
import { bestEpoch, startWords, timeLeftMs } from '../../src/protocol/runView';
import { plannedEpochs, plannedSteps } from './chartData';
import { formatClock, formatCount, formatDuration, formatPercent, formatTimeLeft } from '../shared/format';

/** The colour of a state: what it asks of the user, not which one it is. */
export type Tone = 'neutral' | 'active' | 'good' | 'bad' | 'attention';

const STATES: Record<RunState, { label: string; tone: Tone }> = {
  queued: { label: 'Queued', tone: 'neutral' },
  preparing: { label: 'Preparing', tone: 'active' },
  training: { label: 'Training', tone: 'active' },
  retrying: { label: 'Retrying', tone: 'attention' },
  stopping: { label: 'Stopping', tone: 'attention' },
  completed: { label: 'Completed', tone: 'good' },
  failed: { label: 'Failed', tone: 'bad' },
  stopped: { label: 'Stopped', tone: 'attention' },
};

/** Name and colour of a run's state. @param stalled whether it makes no progress */
export function stateBadge(state: RunState, stalled = false): { label: string; tone: Tone } {
  return stalled && !isFinal(state) ? { label: 'Stalled', tone: 'attention' } : STATES[state];
}

/** How the run started, in words: "Warm start · first step after 84 ms". */
export function startText(view: RunView): string {
  const kind = startWords(view);
  return view.timeToFirstStepMs === null
    ? kind
    : `${kind} · first step after ${formatDuration(view.timeToFirstStepMs)}`;
}

const CONTAINER: Record<ContainerView['state'], { label: string; tone: Tone }> = {
  cold: { label: 'Container cold', tone: 'neutral' },
  warming: { label: 'Container warming', tone: 'attention' },
  warm: { label: 'Container warm', tone: 'good' },
  training: { label: 'Container training', tone: 'active' },
  cooling: { label: 'Container cooling', tone: 'neutral' },
};

/** The container's state, or that its link is being restored. */
export function containerBadge(container: ContainerView): { label: string; tone: Tone } {
  const badge = CONTAINER[container.state];
  if (container.link === 'reconnecting') {
    return { label: `${badge.label}, reconnecting`, tone: 'attention' };
  }
  return container.state === 'warming' && container.warmUpStalled === true
    ? { label: `${badge.label}, stalled`, tone: 'attention' }
    : badge;
}

/** Why nothing can be started where it may not be. */
export const MAY_NOT_TRAIN = 'Open a folder and trust the workspace to train here.';

/** What the buttons of the header do now. */
export interface Actions {
  train: boolean;
  rerun: boolean;
  stop: 'hidden' | 'stop' | 'kill';
}

/**
 * Which buttons can be used.
 * @param stopAsked whether this page has asked the run to stop already
 */
export function actions(
  run: RunView | null,
  container: ContainerView,
  mayTrain: boolean,
  stopAsked: boolean,
): Actions {
  const running = run !== null && !isFinal(run.state);
  const free = mayTrain && !running && container.state !== 'training';
  return {
    train: free,
    rerun: free && run !== null,
    stop: !running ? 'hidden' : stopAsked || run.state === 'stopping' ? 'kill' : 'stop',
  };
}

/** Where the training is: "Epoch 3/10", "Step 12/40", "1,240 images/s", "Best val acc 94.2%"; empty before the first step. */
export function progressTexts(view: RunView): string[] {
  const { step, stateMessage } = view;
  if (view.state === 'retrying' && stateMessage !== '') {
    return [stateMessage];
  }
  if (step === null) {
    return view.state === 'queued'
      ? [stateMessage === '' ? 'Waiting for the container' : stateMessage]
      : isFinal(view.state)
        ? []
        : [`Getting data and model ready for ${plannedText(view)}`];
  }
  const texts = step.epoch === 0 ? [] : [`Epoch ${ofText(step.epoch, step.epochs)}`];
  if (step.span === 'run') {
    texts.unshift(`Step ${ofText(step.step, step.steps)}`);
  } else if (!isFinal(view.state)) {
    texts.push(`Step ${ofText(step.step, step.steps)}`);
  }
  if (step.images_per_second !== undefined) {
    texts.push(`${formatCount(step.images_per_second)} images/s`);
  }
  const best = bestEpoch(view);
  if (best !== undefined) {
    texts.push(`Best val acc ${formatPercent(best.val_acc)}`);
  }
  return texts;
}

/** "about 2 min left · 0:40 elapsed"; of a run that does not move no estimate, of one that is to be tried again when that is. */
export function timeText(view: RunView, isStalled: boolean, now: number): string {
  const elapsed = view.createdAt === 0 ? null : Math.max(0, (view.endedAt ?? now) - view.createdAt);
  const left = isFinal(view.state) || isStalled ? null : timeLeftMs(view, now);
  const retryInMs = view.state === 'retrying' && view.retryAt !== null ? view.retryAt - now : 0;
  return [
    retryInMs > 0 ? `next attempt in ${formatTimeLeft(retryInMs)}` : '',
    left === null ? '' : `about ${formatTimeLeft(left)} left`,
    elapsed === null ? '' : `${formatClock(elapsed)} elapsed`,
  ]
    .filter((text) => text !== '')
    .join(' · ');
}

/** "2 runs wait"; empty if none does. */
export function queueText({ queued = 0 }: ContainerView): string {
  return queued === 0 ? '' : queued === 1 ? '1 run waits' : `${queued} runs wait`;
}

/** "3/10", or "3" where it is not known of how many. */
function ofText(count: number, total: number): string {
  return total === 0 ? formatCount(count) : `${formatCount(count)}/${formatCount(total)}`;
}

function plannedText(view: RunView): string {
  const steps = typeof view.params.epochs === 'number' ? undefined : plannedSteps(view);
  return steps === undefined ? `${plannedEpochs(view)} epochs` : `${formatCount(steps)} steps`;
}

/** The last part of a run id, by which people can tell runs apart: "a1b2c3" of "20250131-120000-a1b2c3". */
export function shortId(runId: string): string {
  return runId.slice(runId.lastIndexOf('-') + 1);
}

/** What a user can do about a failure, by the error's code. */
export function remedy(code: string): string {
  switch (code) {
    case 'data':
      return 'Check the data folder: it needs one sub-folder of images for each class, at least two of them.';
    case 'parameters':
      return 'Change the parameters below and train again.';
    case 'volume':
      return 'Check that the outputs folder exists, can be written and has room.';
    case 'diverged':
      return 'The loss left the range of numbers. Try a lower learning rate or more warm-up epochs.';
    case 'user_code':
    case 'syntax':
    case 'enter_failed':
      return 'Edit the code and rerun: it is read again, and the container stays warm.';
    case 'trainer_died':
      return 'The container has started a fresh trainer. Rerun, perhaps with a smaller batch or image size.';
    case 'container_died':
      return 'Rerun starts a new container. What was saved before is still there.';
    default:
      return 'The log below says what happened. Rerun tries again with the same parameters.';
  }
}

/** "Up 12 min · trained 4 min · $0.12, and $0.05 until it cools" */
export function usageText({ usage, pricePerHour, idleRemainingMs }: ContainerView): string {
  if (usage === undefined) {
    return '';
  }
  const cost = containerCost(usage, pricePerHour, idleRemainingMs);
  const window = cost?.window === undefined ? '' : `, and ${cost.window} until it cools`;
  return [
    `Up ${formatDuration(usage.upMs)}`,
    `trained ${formatDuration(usage.trainingMs)}`,
    ...(cost === undefined ? [] : [`${cost.soFar}${window}`]),
  ].join(' · ');
}
