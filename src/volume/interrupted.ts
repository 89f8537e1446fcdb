import { join } from 'node:path';
import type { RunEvent, RunEventBody } from '../protocol/events';
import type { RunRecord, RunResult } from '../protocol/run';
import { isFinal } from '../protocol/run';
import { applyEvent, bestEpoch, emptyRunView } from '../protocol/runView';
import { EventLogWriter, readEvents } from './eventLog';
import type { StoredRun } from './outputsVolume';
import { OutputsVolume, RUN_FILES } from './outputsVolume';

const MESSAGE =
  'The container died before the run had ended (killed, out of memory, or the machine went down). ' +
  'Its checkpoints and log up to then are kept; resume it, or run it again to start over.';

/**
 * Marks runs that no container works on any more as failed, in their log and their run.json. It may be called by
 * several at once: a reader takes each seq once.
 * @param mayBeLive whether a living container may be working on the run
 * @returns ids of the runs that were marked
 */
export async function settleInterruptedRuns(
  outputsDir: string,
  mayBeLive: (record: RunRecord) => boolean | Promise<boolean>,
): Promise<string[]> {
  const volume = new OutputsVolume(outputsDir);
  const interrupted: StoredRun[] = [];
  for (const run of await volume.listRuns()) {
    const { record } = run;
    if (record.newer !== true && !isFinal(record.state) && !(await mayBeLive(record))) {
      interrupted.push(run);
    }
  }
  const settled: string[] = [];
  for (const run of interrupted) {
    try {
      await settleRun(volume, run);
      settled.push(run.record.runId);
    } catch {
      // It cannot be written now; it stays as it is, and keeps nobody from the others.
    }
  }
  return settled;
}

async function settleRun(volume: OutputsVolume, { dir, record }: StoredRun): Promise<void> {
  const path = join(dir, RUN_FILES.events);
  const events = await readEvents(path);
  const known = { ...record, ...whatLogSays(record.runId, events) };
  const ended = events.find((event) => event.type === 'result');
  const hasBest = known.checkpoints.some((checkpoint) => checkpoint.kind === 'best');
  const result: RunResult = ended ?? {
    status: 'failed',
    output: hasBest ? join(dir, RUN_FILES.best) : null,
    val_acc: known.best?.val_acc ?? null,
    start: record.start,
    time_to_first_step_ms: known.timeToFirstStepMs ?? null,
    error: { code: 'container_died', message: MESSAGE },
  };
  if (ended === undefined) {
    append(path, record, events.at(-1)?.seq ?? 0, [
      { type: 'log', level: 'error', text: MESSAGE },
      { type: 'result', ...result },
    ]);
  }
  await volume.writeRecord(dir, {
    ...known,
    state: result.status,
    endedAt: new Date(ended?.time ?? Date.now()).toISOString(),
    result: {
      status: result.status,
      output: result.output,
      val_acc: result.val_acc,
      start: result.start,
      time_to_first_step_ms: result.time_to_first_step_ms,
      ...(result.returned === undefined ? {} : { returned: result.returned }),
      ...(result.error === undefined ? {} : { error: result.error }),
    },
  });
}

/** An event is stored before run.json is brought up to date: run.json may lack what happened last. */
function whatLogSays(runId: string, events: readonly RunEvent[]): Partial<RunRecord> {
  const view = emptyRunView(runId);
  for (const event of events) {
    applyEvent(view, event);
  }
  const best = bestEpoch(view);
  return {
    ...(view.checkpoints.length === 0 ? {} : { checkpoints: view.checkpoints }),
    ...(view.timeToFirstStepMs === null ? {} : { timeToFirstStepMs: view.timeToFirstStepMs }),
    ...(best === undefined ? {} : { best }),
    ...(view.files.length === 0 ? {} : { files: view.files }),
  };
}

function append(path: string, record: RunRecord, lastSeq: number, bodies: RunEventBody[]): void {
  const log = new EventLogWriter(path, record.runId, lastSeq);
  try {
    for (const body of bodies) {
      log.append(body);
    }
  } finally {
    log.close();
  }
}
