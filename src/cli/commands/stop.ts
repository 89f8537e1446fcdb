import type { ContainerClient } from '../../client/containerClient';
import type { RunEvent } from '../../protocol/events';
import type { RunResult } from '../../protocol/run';
import type { Command } from '../command';
import { CommandError, ExitCode } from '../errors';
import { flag } from '../settings';
import { jsonLine, plain } from '../text';
import { withClient } from '../workplace';

export const stopCommand: Command = {
  name: 'stop',
  summary: 'Stop the run that trains, after its present step',
  details: [
    'Waits until the run has ended. A checkpoint is saved, unless the run is killed: by --kill, or by stopping again a run that',
    'is being stopped already.',
  ],
  positional: { name: 'RUN_ID', required: false },
  options: [
    {
      spec: {
        name: 'kill',
        type: 'boolean',
        default: false,
        description: 'Do not wait for the step and save nothing',
      },
    },
  ],
  run: (context, { settings, given, positional }) =>
    withClient(context, settings, async (client) => {
      const { terminal } = context;
      if (client === undefined) {
        throw new CommandError('No run trains: there is no warm container.');
      }
      const run = client.status?.run;
      const runId = positional ?? run?.runId;
      if (runId === undefined) {
        throw new CommandError('No run trains in the container.');
      }
      const isSecond = run?.runId === runId && run.stopping === true;
      await client.stop(runId, isSecond || flag(given, 'kill'));
      const { status, output } = await endOf(client, runId);
      terminal.line(
        settings.json
          ? jsonLine({ run_id: runId, status, output })
          : `Run ${runId} ${status}.${output === null ? '' : ` Best checkpoint: ${plain(output)}`}`,
      );
      return ExitCode.done;
    }),
};

function endOf(client: ContainerClient, runId: string): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    client.on('change', () => {
      if (client.link === 'none') {
        reject(new CommandError('The container ended before the run did.'));
      }
    });
    client.follow(runId, 0, (events) => {
      const result = events.find((event): event is ResultEvent => event.type === 'result');
      if (result !== undefined) {
        resolve(result);
      }
    });
  });
}

type ResultEvent = Extract<RunEvent, { type: 'result' }>;
