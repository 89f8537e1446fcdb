import { join } from 'node:path';
import type { RunHistory } from '../../targets/target';
import { readEvents } from '../../volume/eventLog';
import { OutputsVolume, RUN_FILES } from '../../volume/outputsVolume';

/**
 * The runs of a volume whose log has more than the asker knows.
 * @param after seq of the last event that the asker has of each run
 */
export async function readHistory(
  outputsDir: string,
  after: Readonly<Record<string, number>>,
): Promise<RunHistory[]> {
  const runs: RunHistory[] = [];
  for (const { record, dir } of await new OutputsVolume(outputsDir).listRuns()) {
    const events = await readEvents(join(dir, RUN_FILES.events), after[record.runId] ?? 0);
    if (events.length > 0) {
      runs.push({ record, events });
    }
  }
  return runs;
}
