import { setTimeout as delay } from 'node:timers/promises';
import { historyDir } from '../targets/historyDir';
import { LOOK_TIMEOUT_MS } from '../targets/targetState';
import type { RunRecord } from '../protocol/run';
import { OutputsVolume } from '../volume/outputsVolume';
import type { CliContext } from './command';
import type { Settings } from './settings';
import { CommandError } from './errors';
import { plainLines } from './text';
import { openClient } from './workplace';

/** The runs as they are read here: those of the outputs volume, or of this side's copy of one that is elsewhere. */
export function volumeHere({ target, outputsDir }: Pick<Settings, 'target' | 'outputsDir'>): OutputsVolume {
  return new OutputsVolume(historyDir(target, outputsDir));
}

/** The same, of a target that is elsewhere brought up to date first, as far as that answers. */
export async function volumeUpToDate(
  context: Pick<CliContext, 'bundleDir' | 'terminal'>,
  settings: Settings,
): Promise<OutputsVolume> {
  const volume = volumeHere(settings);
  if (settings.target.kind === 'local') {
    return volume;
  }
  const { terminal } = context;
  const client = openClient(context, settings);
  const limit = new AbortController();
  const catchUp = async (): Promise<void> => {
    if (await client.connect()) {
      await client.caughtUp();
    }
  };
  terminal.progress(`Asking ${settings.target.name} for its runs…`);
  try {
    await Promise.race([
      catchUp(),
      delay(LOOK_TIMEOUT_MS, undefined, { signal: limit.signal }).then(() => {
        throw new Error(`no answer within ${LOOK_TIMEOUT_MS / 1000} s`);
      }),
    ]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    terminal.message(
      plainLines(`"${settings.target.name}" cannot be asked (${reason}): this is what is known of it here.`),
    );
  } finally {
    limit.abort();
    terminal.clearProgress();
    client.dispose();
  }
  return volume;
}

/** The record of a run that can be trained again or gone on with. @throws CommandError if there is none */
export async function namedRun(volume: OutputsVolume, runId: string): Promise<RunRecord> {
  const dir = await volume.findRun(runId);
  if (dir === undefined) {
    throw new CommandError(`There is no run "${runId}" in ${volume.root}. "tiny-cats runs" lists them.`);
  }
  const record = await volume.readRecord(dir);
  if (record === undefined) {
    throw new CommandError(
      `Run ${runId} is of a newer version of Tiny Cats, or its run.json is damaged: this version cannot train it again.`,
    );
  }
  return record;
}
