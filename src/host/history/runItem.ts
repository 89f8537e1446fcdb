import type { LiveProgress } from '../container/liveRun';
import type { ParameterValues } from '../../protocol/parameters';
import type { Checkpoint, RunRecord, RunState } from '../../protocol/run';
import { isFinal, isResumable } from '../../protocol/run';
import { costText } from '../../protocol/cost';
import { LOCAL_TARGET } from '../../targets/config';
import { ITEM_WORDS } from '../contributions';
import { escapeMarkdown, formatAge, formatBytes, formatDuration, formatPercent } from '../format';

/** What a tree item shows; made without VS Code. */
export interface ItemFacts {
  label: string;
  description: string;
  /** Markdown whose data are escaped. */
  tooltip: string;
  icon: { id: string; color?: string };
  contextValue: string;
  accessibilityLabel: string;
}

const STATE_ICONS: Record<RunState, ItemFacts['icon']> = {
  queued: { id: 'clock' },
  preparing: { id: 'loading~spin' },
  training: { id: 'loading~spin' },
  retrying: { id: 'sync~spin' },
  stopping: { id: 'loading~spin' },
  completed: { id: 'pass', color: 'testing.iconPassed' },
  failed: { id: 'error', color: 'testing.iconFailed' },
  stopped: { id: 'circle-slash', color: 'testing.iconSkipped' },
};

/** Where a run's container lives or lived, as the history has it. */
export interface RunPlace {
  target: string;
  /** It is another one than the chosen target: nothing can be asked of the run's container. */
  isElsewhere: boolean;
}

const HERE: RunPlace = { target: LOCAL_TARGET.name, isElsewhere: false };

/** @param live how far the run in the container is, if it is this one */
export function runItem(
  record: RunRecord,
  live: LiveProgress | undefined,
  { target, isElsewhere }: RunPlace = HERE,
): ItemFacts {
  const state = isFinal(record.state) ? record.state : (live?.state ?? record.state);
  const label = `${formatTime(record.createdAt)} ${record.recipe}`;
  const place = target === LOCAL_TARGET.name ? [] : [target];
  const description = [describe(record, state, live), ...place].join(' · ');
  return {
    label,
    description,
    tooltip: tooltip(record, state),
    icon: icon(record, state, live),
    contextValue: isElsewhere ? contextElsewhere(record, state) : contextValue(record, state),
    accessibilityLabel: `${label}, ${state}, ${description}`,
  };
}

function icon(record: RunRecord, state: RunState, live: LiveProgress | undefined): ItemFacts['icon'] {
  if (record.newer === true) {
    return { id: 'lock' };
  }
  return live?.stalled === true && !isFinal(state)
    ? { id: 'warning', color: 'list.warningForeground' }
    : STATE_ICONS[state];
}

/** @param isRemote whether it stays on another machine until somebody asks for it */
export function checkpointItem(checkpoint: Checkpoint, runId: string, isRemote = false): ItemFacts {
  const { kind, val_acc: valAcc, bytes, file } = checkpoint;
  const description = [formatAge(checkpoint), ...accuracy(valAcc), formatBytes(bytes)].join(' · ');
  return {
    label: kind === 'file' ? file : kind,
    description,
    tooltip: `**${escapeMarkdown(file)}**  \n${escapeMarkdown(description)}  \nRun ${escapeMarkdown(runId)}`,
    icon: { id: kind === 'best' ? 'star-full' : kind === 'file' ? 'file-binary' : 'save' },
    contextValue: isRemote ? `${ITEM_WORDS.checkpoint} ${ITEM_WORDS.remote}` : ITEM_WORDS.checkpoint,
    accessibilityLabel: `${kind} checkpoint, ${description}`,
  };
}

/** "14:05" for today, else "2026-01-31 14:05", in local time */
export function formatTime(iso: string, now = new Date()): string {
  const time = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}`;
  return time.toDateString() === now.toDateString() ? clock : `${date} ${clock}`;
}

/** From the user's request to the end; undefined while it goes on. */
export function runDurationMs(record: RunRecord): number | undefined {
  return record.endedAt === undefined ? undefined : Date.parse(record.endedAt) - Date.parse(record.createdAt);
}

function describe(record: RunRecord, state: RunState, live: LiveProgress | undefined): string {
  if (record.newer === true) {
    return ['of a newer version, read-only', ...accuracy(record.best?.val_acc)].join(' · ');
  }
  if (!isFinal(state)) {
    const epoch = live !== undefined && live.epoch > 0 ? [`epoch ${live.epoch}/${live.epochs}`] : [];
    const word = live?.stalled === true ? 'stalled' : state;
    return [word, ...epoch, ...accuracy(record.best?.val_acc), record.start].join(' · ');
  }
  const durationMs = runDurationMs(record);
  const duration = durationMs === undefined ? [] : [formatDuration(durationMs)];
  const outcome = state === 'completed' ? [] : [state];
  return [...outcome, ...accuracy(record.best?.val_acc), ...duration, record.start].join(' · ');
}

function accuracy(valAcc: number | null | undefined): string[] {
  return valAcc === undefined || valAcc === null ? [] : [`val_acc ${formatPercent(valAcc)}`];
}

/** What can be done with a run whose container this window has nothing to do with. */
function contextElsewhere(record: RunRecord, state: RunState): string {
  return record.newer !== true && isFinal(state) ? `${ITEM_WORDS.run} ${ITEM_WORDS.ended}` : ITEM_WORDS.run;
}

function contextValue(record: RunRecord, state: RunState): string {
  if (record.newer === true) {
    return ITEM_WORDS.run;
  }
  const { pinned } = record;
  const progress =
    state === 'stopping'
      ? [ITEM_WORDS.live, ITEM_WORDS.stopping]
      : [isFinal(state) ? ITEM_WORDS.ended : ITEM_WORDS.live];
  const resumable = isResumable(record) ? [ITEM_WORDS.resumable] : [];
  return [ITEM_WORDS.run, ...progress, ...resumable, pinned ? ITEM_WORDS.pinned : ITEM_WORDS.unpinned].join(
    ' ',
  );
}

function tooltip(record: RunRecord, state: RunState): string {
  const durationMs = runDurationMs(record);
  const { result, best, timeToFirstStepMs } = record;
  const facts: [string, string | undefined][] = [
    ['Run', record.runId],
    ['State', state + (record.pinned ? ', pinned' : '')],
    [
      'Written by',
      record.newer === true ? 'a newer version of Tiny Cats: this one only shows it' : undefined,
    ],
    [
      'Best',
      best === undefined ? undefined : `val_acc ${formatPercent(best.val_acc)} in epoch ${best.epoch}`,
    ],
    ['Duration', durationMs === undefined ? undefined : formatDuration(durationMs)],
    ['Cost', record.cost === undefined ? undefined : costText(record.cost)],
    ['Start', record.start],
    ['First step after', timeToFirstStepMs === undefined ? undefined : formatDuration(timeToFirstStepMs)],
    ['Engine', [record.engine, record.device].filter((text) => text !== '').join(', ') || undefined],
    ['Target', record.target],
    ['Error', result?.error?.message],
  ];
  const lines = facts.flatMap(([name, text]) =>
    text === undefined ? [] : [`**${name}:** ${escapeMarkdown(text)}`],
  );
  return `${lines.join('  \n')}\n\n${parameterTable(record.params)}`;
}

function parameterTable(params: ParameterValues): string {
  const rows = Object.entries(params).map(
    ([name, value]) => `| ${escapeMarkdown(name)} | ${escapeMarkdown(String(value))} |`,
  );
  return ['| parameter | value |', '| --- | --- |', ...rows].join('\n');
}
