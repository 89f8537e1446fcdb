import { join } from 'node:path';
import type { RunEventBody } from '../protocol/events';
import type { RunRecord } from '../protocol/run';
import { isFinal } from '../protocol/run';
import { EventLogWriter, readEvents } from './eventLog';
import type { StoredRun } from './outputsVolume';
import { OutputsVolume, RUN_FILES } from './outputsVolume';

const MESSAGE =
  'The container died before the run had ended (killed, out of memory, or the machine went down). ' +
  'Its checkpoints and log up to then are kept; run it again to start over.';

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
    if (!isFinal(run.record.state) && !(await mayBeLive(run.record))) {
      interrupted.push(run);
    }
  }
  for (const run of interrupted) {
    await settleRun(volume, run);
  }
  return interrupted.map((run) => run.record.runId);
}

async function settleRun(volume: OutputsVolume, { dir, record }: StoredRun): Promise<void> {
  const path = join(dir, RUN_FILES.events);
  const events = await readEvents(path);
  const ended = events.find((event) => event.type === 'result');
  const result = ended ?? {
    type: 'result' as const,
    status: 'failed' as const,
    output: record.checkpoints.some((checkpoint) => checkpoint.kind === 'best')
      ? join(dir, RUN_FILES.best)
      : null,
    val_acc: record.best?.val_acc ?? null,
    start: record.start,
    time_to_first_step_ms: record.timeToFirstStepMs ?? null,
    error: { code: 'container_died', message: MESSAGE },
  };
  if (ended === undefined) {
    append(path, record, events.at(-1)?.seq ?? 0, [{ type: 'log', level: 'error', text: MESSAGE }, result]);
  }
  await volume.writeRecord(dir, {
    ...record,
    state: result.status,
    endedAt: new Date(ended?.time ?? Date.now()).toISOString(),
    result: {
      status: result.status,
      output: result.output,
      val_acc: result.val_acc,
      start: result.start,
      time_to_first_step_ms: result.time_to_first_step_ms,
      ...(result.error === undefined ? {} : { error: result.error }),
    },
  });
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
