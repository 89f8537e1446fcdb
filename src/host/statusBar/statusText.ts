import type { ContainerView } from '../../protocol/panel';
import { containerCost } from '../../protocol/cost';
import type { Phase } from '../../protocol/events';
import { heldMemoryText } from '../../protocol/heldMemory';
import type { LiveProgress } from '../container/liveRun';
import { escapeMarkdown, formatBytes, formatDuration } from '../format';

export interface StatusText {
  text: string;
  /** Markdown whose data are escaped. */
  tooltip: string;
  accessibilityLabel: string;
  /** The last start failed. */
  warning: boolean;
}

/** How far the newest sweep is, whose containers are not the one that the window is connected to. */
export interface SweepProgress {
  ended: number;
  total: number;
}

/**
 * What the status bar says.
 * @param now milliseconds since the epoch
 * @param sweep one that goes on
 */
export function statusText(
  view: ContainerView,
  live: LiveProgress | undefined,
  now: number,
  sweep?: SweepProgress,
): StatusText {
  const { icon, word } =
    sweep !== undefined && view.state === 'cold'
      ? { icon: 'sync~spin', word: `sweep ${sweep.ended}/${sweep.total}` }
      : headline(view, live);
  return {
    text: `$(${icon}) Tiny Cats: ${word}${view.target === 'local' ? '' : ` (${view.target})`}`,
    tooltip: tooltip(view, live, word, now),
    accessibilityLabel: `Tiny Cats container: ${word}`,
    warning: view.state === 'cold' && view.problem !== null,
  };
}

function headline(view: ContainerView, live: LiveProgress | undefined): { icon: string; word: string } {
  if (view.link === 'reconnecting') {
    return { icon: 'sync~spin', word: 'reconnecting' };
  }
  switch (view.state) {
    case 'cold':
      return { icon: 'circle-outline', word: 'cold' };
    case 'warming':
      return view.warmUpStalled === true
        ? { icon: 'warning', word: 'warming, stalled' }
        : { icon: 'sync~spin', word: 'warming' };
    case 'warm': {
      const left = view.idleRemainingMs;
      return { icon: 'flame', word: left === null ? 'warm' : `warm, ${timeLeft(left)} left` };
    }
    case 'training':
      return trainingHeadline(live);
    case 'cooling':
      return { icon: 'sync~spin', word: 'cooling' };
  }
}

function trainingHeadline(live: LiveProgress | undefined): { icon: string; word: string } {
  if (live === undefined) {
    return { icon: 'sync~spin', word: 'training' };
  }
  const at = live.epoch === 0 ? '' : ` ${live.epoch}/${live.epochs}`;
  if (live.stalled) {
    return { icon: 'warning', word: `stalled${at}` };
  }
  const isWaiting = live.state === 'stopping' || live.state === 'retrying';
  return { icon: 'sync~spin', word: isWaiting ? live.state : `training${at}` };
}

/** "5 min", and by the five seconds in the last minute: what stands in the status bar should not flicker. */
function timeLeft(ms: number): string {
  return ms > 60_000 ? `${Math.ceil(ms / 60_000)} min` : `${Math.ceil(ms / 5000) * 5} s`;
}

function tooltip(view: ContainerView, live: LiveProgress | undefined, word: string, now: number): string {
  const facts: [string, string][] = [['Target', view.target]];
  if (view.engine !== '') {
    facts.push(['Engine', [view.engine, view.device].filter((text) => text !== '').join(', ')]);
  }
  facts.push(...deviceFactsOf(view));
  if (live !== undefined) {
    facts.push(['Run', live.runId]);
  }
  if (view.idleRemainingMs !== null) {
    const at = new Date(now + view.idleRemainingMs).toLocaleTimeString([], {
      hour: '2-digit',
      minute: '2-digit',
    });
    facts.push(['Cools', `in ${formatDuration(view.idleRemainingMs)}, at ${at}, if nothing is asked of it`]);
  }
  facts.push(...usageFacts(view));
  if (view.restartNeeded !== null) {
    facts.push(['Restart', view.restartNeeded]);
  }
  if (view.heldMemory !== null) {
    facts.push(['Memory', heldMemoryText(view.heldMemory)]);
  }
  if (view.problem !== null) {
    facts.push(['Problem', view.problem]);
  }
  const head = `**Tiny Cats container:** ${escapeMarkdown(word)}`;
  const lines = facts.map(([name, text]) => `**${name}:** ${escapeMarkdown(text)}`);
  return [[head, ...lines].join('  \n'), ...phaseTable(view.enterPhases)].join('\n\n');
}

function deviceFactsOf({ deviceFacts }: ContainerView): [string, string][] {
  if (deviceFacts === null) {
    return [];
  }
  const { name, memoryBytes, ...versions } = deviceFacts;
  const memory = memoryBytes === undefined ? '' : `, ${formatBytes(memoryBytes)}`;
  const parts = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
  return [
    ['Device', `${name}${memory}`],
    ...(parts.length === 0 ? [] : [['Versions', parts.join(', ')] satisfies [string, string]]),
  ];
}

function usageFacts({ usage, pricePerHour, idleRemainingMs, letGoInMs }: ContainerView): [string, string][] {
  if (usage === undefined) {
    return [];
  }
  const cost = containerCost(usage, pricePerHour, idleRemainingMs);
  const window = cost?.window === undefined ? '' : `, ${cost.window} more until it cools`;
  return [
    ['Warm', `${formatDuration(usage.warmMs)}, of that training ${formatDuration(usage.trainingMs)}`],
    ...(cost === undefined ? [] : [['Cost', `${cost.soFar} so far${window}`] satisfies [string, string]]),
    ...(letGoInMs === undefined || letGoInMs === null
      ? []
      : [
          ['Left warm', `let go in ${formatDuration(letGoInMs)} unless it is kept`] satisfies [
            string,
            string,
          ],
        ]),
  ];
}

function phaseTable(phases: readonly Phase[]): string[] {
  if (phases.length === 0) {
    return [];
  }
  const rows = phases.map((phase) => {
    const name = escapeMarkdown(phase.name);
    return `| ${phase.within === undefined ? name : `&nbsp;&nbsp;${name}`} | ${formatDuration(phase.durationMs)} |`;
  });
  return [['| Start-up | Time |', '| --- | ---: |', ...rows].join('\n')];
}
