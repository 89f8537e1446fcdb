import type { SweepRecord } from '../../protocol/sweep';
import { isSweepFinal } from '../../protocol/sweep';
import { ensureDriver, isDriven } from '../../sweep/launch';
import { SweepFiles } from '../../volume/sweepFiles';
import type { Command } from '../command';
import { CommandError, ExitCode, UsageError } from '../errors';
import { countText, dateText, tableLines } from '../format';
import { flag } from '../settings';
import { comparisonLines, tallyText } from '../sweepText';
import { SweepWatch } from '../sweepWatch';
import { jsonLine, plain } from '../text';
import { sweepPlace } from '../workplace';

const option = (name: string, description: string) =>
  ({ spec: { name, type: 'boolean', default: false, description } }) as const;

export const sweepsCommand: Command = {
  name: 'sweeps',
  summary: 'List the sweeps, or compare the trainings of one',
  details: [
    'A sweep that nothing drives any more, since the machine went down, goes on with --follow. Nothing is trained twice.',
  ],
  positional: { name: 'SWEEP_ID', required: false },
  options: [
    option('follow', 'Go on with it if nothing does, and follow it to its end'),
    option('stop', 'Stop it after the running steps, with checkpoints'),
    option('kill', 'Stop it without waiting for the running steps'),
  ],
  run: async (context, { settings, given, positional }) => {
    const { terminal } = context;
    const files = new SweepFiles(settings.outputsDir);
    const wanted = (['follow', 'stop', 'kill'] as const).filter((name) => flag(given, name));
    if (positional === undefined) {
      if (wanted.length > 0) {
        throw new UsageError(`--${wanted.join(', --')} needs the id of a sweep.`);
      }
      const all = await files.list();
      const lines = settings.json ? [jsonLine(all)] : await listLines(all, settings.outputsDir);
      lines.forEach((line) => terminal.line(line));
      return ExitCode.done;
    }
    const record = await files.read(positional);
    if (record === undefined) {
      throw new CommandError(
        `There is no sweep "${positional}" in ${settings.outputsDir}. "tiny-cats sweeps" lists them.`,
      );
    }
    const { sweepId } = record;
    const isOver = isSweepFinal(record);
    if (wanted.length > 0 && !isOver) {
      const place = sweepPlace(context, settings);
      if (wanted.includes('stop') || wanted.includes('kill')) {
        await files.requestStop(sweepId, wanted.includes('kill') ? 'kill' : 'stop');
      }
      await ensureDriver(place, record);
      return new SweepWatch(context, place, sweepId, settings.json).follow();
    }
    if (settings.json) {
      terminal.line(jsonLine(record));
      return ExitCode.done;
    }
    comparisonLines(record).forEach((line) => terminal.line(line));
    terminal.line(`${await stateText(record)}: ${tallyText(record)}.`);
    return ExitCode.done;
  },
};

async function listLines(sweeps: readonly SweepRecord[], outputsDir: string): Promise<string[]> {
  if (sweeps.length === 0) {
    return [`There is no sweep in ${plain(outputsDir)} yet.`];
  }
  const rows = sweeps.map(async (sweep) => [
    sweep.sweepId,
    await stateText(sweep),
    plain(sweep.axes.map(({ name, values }) => `${name} (${values.length})`).join(' × ')),
    tallyText(sweep),
    dateText(new Date(sweep.createdAt)),
  ]);
  const titles = ['SWEEP', 'STATE', 'OVER', 'TRAININGS', 'DATE'];
  return tableLines(
    titles.map((title) => ({ title })),
    await Promise.all(rows),
  );
}

async function stateText({ state, sweepId, jobs }: SweepRecord): Promise<string> {
  if (isSweepFinal({ state })) {
    return state;
  }
  return (await isDriven(sweepId)) ? `${state} on ${countText(jobs, 'container')}` : 'interrupted';
}
