import type { ContainerStatus } from '../../protocol/container';
import { containerCost } from '../../protocol/cost';
import type { Command } from '../command';
import { ExitCode } from '../errors';
import { bytesText, countText, dateText, durationText, engineText, factLines } from '../format';
import { phaseLines } from '../phaseLines';
import { jsonLine, plain } from '../text';
import { withClient } from '../workplace';

export const statusCommand: Command = {
  name: 'status',
  summary: 'Show the container: state, engine, start-up, run, time left',
  details: ['Without a container the state is "cold", which is no error.'],
  options: [],
  run: async (context, { settings }) => {
    const { terminal } = context;
    const status = await withClient(context, settings, (client) =>
      Promise.resolve(client === undefined ? undefined : client.request('status', {})),
    );
    if (settings.json) {
      terminal.line(jsonLine(status ?? { state: 'cold' }));
    } else {
      for (const line of status === undefined ? coldLines(settings.outputsDir) : statusLines(status)) {
        terminal.line(line);
      }
    }
    return ExitCode.done;
  },
};

function coldLines(outputsDir: string): string[] {
  return factLines([
    ['State', 'cold'],
    ['Outputs', plain(outputsDir)],
  ]);
}

/** The status as lines for a person. */
export function statusLines(status: ContainerStatus): string[] {
  const { run, enter, idleRemainingMs, scaledownWindowMs, trainerPid } = status;
  return [
    ...factLines([
      ['State', enter.stalled === true ? `${status.state}, stalled` : status.state],
      ...(status.problem === null ? [] : [['Problem', plain(status.problem)] as const]),
      ['Engine', status.engine === '' ? 'not chosen yet' : engineText(status)],
      ...(run === null
        ? []
        : [
            [
              'Run',
              `${run.runId}, ${plain(run.recipe)}${run.epochs === 0 ? '' : progressText(run)}`,
            ] as const,
          ]),
      ...(status.queue.length === 0 ? [] : [['Queue', queueText(status.queue)] as const]),
      [
        'Scaledown',
        idleRemainingMs === null
          ? `after ${durationText(scaledownWindowMs)} without work`
          : `in ${durationText(idleRemainingMs)}`,
      ],
      ['Runs ended', String(status.runs)],
      ...usageFacts(status),
      ['Started', dateText(new Date(status.startedAt))],
      ['Processes', `supervisor ${status.pid}${trainerPid === null ? '' : `, trainer ${trainerPid}`}`],
      ['Memory', `${bytesText(status.rssBytes)} (supervisor)`],
      ['Version', plain(status.version)],
      ['Outputs', plain(status.outputsDir)],
      ['Data', plain(status.dataDir)],
    ]),
    `Start-up${enter.totalMs === null ? '' : ` ${durationText(enter.totalMs)}`}`,
    ...phaseLines(enter.phases),
  ];
}

function usageFacts({
  usage,
  pricePerHour,
  idleRemainingMs,
  leftWarm,
}: ContainerStatus): (readonly [string, string])[] {
  if (usage === undefined) {
    return [];
  }
  const cost = containerCost(usage, pricePerHour, idleRemainingMs);
  const window = cost?.window === undefined ? '' : `, ${cost.window} more until it is let go`;
  return [
    ['Time', `up ${durationText(usage.upMs)}, training ${durationText(usage.trainingMs)}`],
    ...(cost === undefined ? [] : [['Cost', `${cost.soFar} so far${window}`] as const]),
    ...(leftWarm === undefined || leftWarm === null
      ? []
      : [['Left warm', `it is let go in ${durationText(leftWarm.letGoInMs)} unless it is used`] as const]),
  ];
}

function progressText(run: NonNullable<ContainerStatus['run']>): string {
  const stalled = run.stalled ? ', stalled' : '';
  return `, epoch ${run.epoch}/${run.epochs}, step ${run.step}/${run.steps}${stalled}`;
}

function queueText(queue: readonly string[]): string {
  return `${countText(queue.length, 'run')}: ${queue.join(', ')}`;
}
