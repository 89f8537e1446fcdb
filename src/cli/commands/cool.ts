import type { Command } from '../command';
import { ExitCode } from '../errors';
import { jsonLine, plainLines } from '../text';
import { exists, openClient } from '../workplace';

export const coolCommand: Command = {
  name: 'cool',
  summary: 'Let the container go; a run that trains is stopped first',
  details: ['A container that does not answer, or is of another version, is killed.'],
  options: [],
  run: async (context, { settings }) => {
    const { terminal } = context;
    const say = (text: string): void => {
      terminal.line(settings.json ? jsonLine({ state: 'cold' }) : text);
    };
    if (settings.target.kind === 'local' && !(await exists(settings.outputsDir))) {
      say('There is no warm container.');
      return ExitCode.done;
    }
    const client = openClient(context, settings);
    try {
      if (await client.connect()) {
        await client.cool();
        say('The container is gone.');
      } else {
        say('There is no warm container.');
      }
    } catch (error) {
      terminal.message(plainLines(error instanceof Error ? error.message : String(error)));
      await client.kill();
      say('The container was killed.');
    } finally {
      client.dispose();
    }
    return ExitCode.done;
  },
};
