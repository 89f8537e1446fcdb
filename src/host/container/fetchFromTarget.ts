import type { RunRecord } from '../../protocol/run';
import type { DownloadOptions } from '../../transfer/download';
import type { HostSettings } from '../settings';
import type { HostTargetDeps } from './openTarget';
import { openClient } from './openTarget';

/**
 * Brings a file of a run here whose target is not the chosen one, by a client of its own.
 * @throws Error if the settings no longer have the target, or no container is warm there
 */
export async function fetchFromTarget(
  { target: name, record: { runId } }: { target: string; record: Pick<RunRecord, 'runId'> },
  file: string,
  settings: Pick<HostSettings, 'targets' | 'outputsDir' | 'dataDir'>,
  deps: HostTargetDeps,
  options: DownloadOptions,
): Promise<void> {
  const target = settings.targets.find((each) => each.name === name);
  if (target === undefined) {
    throw new Error(
      `${file} of run ${runId} is on "${name}", which tinyCats.targets no longer has. Add it again to fetch the file.`,
    );
  }
  const client = openClient({ ...settings, target }, deps);
  try {
    if (!(await client.connect())) {
      throw new Error(
        `${file} of run ${runId} is on "${name}", where no container is warm. Choose it with "Tiny Cats: Select Target" and warm it up to fetch the file.`,
      );
    }
    await client.fetch(runId, file, options);
  } finally {
    client.dispose();
  }
}
