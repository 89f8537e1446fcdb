import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { OutputsVolume, StoredRun } from '../volume/outputsVolume';
import { RUN_FILES } from '../volume/outputsVolume';
import { isFinal } from '../protocol/run';
import type { CliContext } from './command';
import { CommandError } from './errors';
import { volumeHere, volumeUpToDate } from './history';
import type { Settings } from './settings';
import { plain } from './text';
import { TransferLine } from './transferLine';
import { openClient, reached } from './workplace';

/**
 * The file that a checkpoint's path or a run's id means: of a run its best checkpoint, else its last. One that is on
 * another machine is fetched, with a word about it.
 * @throws CommandError if there is none, saying where it was looked for
 */
export async function checkpointPath(
  context: Pick<CliContext, 'bundleDir' | 'cwd' | 'terminal'>,
  settings: Settings,
  given: string,
): Promise<string> {
  const path = resolve(context.cwd, given);
  if (await isFile(path)) {
    return path;
  }
  const isLocal = settings.target.kind === 'local';
  const run =
    (await runIn(volumeHere(settings), given)) ??
    (isLocal ? undefined : await runIn(await volumeUpToDate(context, settings), given));
  if (run === undefined) {
    throw new CommandError(
      `There is no file ${path} and no run "${given}" in ${volumeHere(settings).root}. "tiny-cats runs" lists the runs.`,
    );
  }
  const found = await checkpointIn(run);
  if (found !== undefined && (isLocal || isFinal(run.record.state))) {
    return found;
  }
  if (!isLocal) {
    return fetched(context, settings, run.record.runId);
  }
  throw noCheckpoint(given);
}

async function runIn(volume: OutputsVolume, runId: string): Promise<StoredRun | undefined> {
  const dir = await volume.findRun(runId);
  const record = dir === undefined ? undefined : await volume.readRecord(dir);
  return dir === undefined || record === undefined ? undefined : { dir, record };
}

async function checkpointIn({ dir }: StoredRun): Promise<string | undefined> {
  for (const name of [RUN_FILES.best, RUN_FILES.last]) {
    if (await isFile(join(dir, name))) {
      return join(dir, name);
    }
  }
  return undefined;
}

/** Brings the checkpoint here, whole and verified. One that is here already and the same is not fetched again. */
async function fetched(
  context: Pick<CliContext, 'bundleDir' | 'terminal'>,
  settings: Settings,
  runId: string,
): Promise<string> {
  const { terminal } = context;
  const { name } = settings.target;
  const client = openClient(context, settings);
  try {
    if (!(await reached(client.connect()))) {
      throw new CommandError(
        `The checkpoints of run ${runId} are on "${name}", where no container is warm to hand them over. ` +
          `"tiny-cats warm --target ${JSON.stringify(name)}" starts one.`,
      );
    }
    const { runs } = await client.request('runs', {});
    const kept = runs.find((record) => record.runId === runId)?.checkpoints ?? [];
    const file = [RUN_FILES.best, RUN_FILES.last].find((each) => kept.some((one) => one.file === each));
    if (file === undefined) {
      throw noCheckpoint(runId);
    }
    const line = new TransferLine(terminal, 'Fetching', 'Fetched');
    const what = `${file} of run ${runId} from ${plain(name)}`;
    const path = await client.fetch(runId, file, {
      progress: (received, total) => line.show(what, received, total),
    });
    line.end(what);
    return path;
  } finally {
    terminal.clearProgress();
    client.dispose();
  }
}

function noCheckpoint(runId: string): CommandError {
  return new CommandError(`Run ${runId} has no checkpoint: none was saved, or retention has removed it.`);
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
}
