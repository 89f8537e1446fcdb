import type { ContainerClient } from '../../client/containerClient';
import type { ContainerStatus } from '../../protocol/container';
import { checkParameters } from '../../protocol/parameters';
import type { Command } from '../command';
import { CommandError, ExitCode } from '../errors';
import { durationText, engineText } from '../format';
import { givenParameters } from '../invocation';
import { PhaseLines } from '../phaseLines';
import { jsonLine } from '../text';
import { containerOptions, engineDifference, openClient, reached } from '../workplace';

export const warmCommand: Command = {
  name: 'warm',
  summary: 'Start the container and wait until it is warm',
  details: ['The parameters say what to prepare for: the folder whose images to index, the model to build.'],
  options: [],
  positional: { name: 'FILE:NAME', required: false },
  takesParameters: true,
  takesCode: true,
  run: async (context, { settings, recipe, program, given }) => {
    const { terminal } = context;
    const params = checkParameters(recipe, givenParameters(recipe, given));
    const client = openClient(context, settings);
    const lines = new PhaseLines();
    let told = 0;
    try {
      if (!settings.json) {
        terminal.progress('Warming up…');
      }
      await reached(client.start(containerOptions(settings, recipe, params, program)));
      const status = await untilWarm(client, ({ enter }) => {
        if (!settings.json) {
          enter.phases
            .slice(told)
            .flatMap((phase) => lines.take(phase))
            .forEach((line) => terminal.line(line));
          told = enter.phases.length;
        }
      });
      terminal.clearProgress();
      const difference = engineDifference(settings, status);
      if (difference !== undefined) {
        terminal.message(terminal.style(difference, 'yellow'));
      }
      const { totalMs } = status.enter;
      const time = totalMs === null ? '' : `, start-up took ${durationText(totalMs)}`;
      terminal.line(settings.json ? jsonLine(status) : `Warm: ${engineText(status)}${time}`);
      return ExitCode.done;
    } finally {
      terminal.clearProgress();
      client.dispose();
    }
  },
};

/** @throws CommandError if the container does not become warm */
function untilWarm(
  client: ContainerClient,
  progress: (status: ContainerStatus) => void,
): Promise<ContainerStatus> {
  return new Promise((resolve, reject) => {
    let problem = 'The container ended before it was warm.';
    const look = (): void => {
      const { status } = client;
      if (status === undefined) {
        if (client.link === 'none') {
          reject(new CommandError(problem));
        }
        return;
      }
      problem = status.problem ?? problem;
      progress(status);
      if (status.state === 'warm' || status.state === 'training') {
        resolve(status);
      }
    };
    client.on('change', look);
    look();
  });
}
