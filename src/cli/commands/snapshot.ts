import type { Command } from '../command';
import { CommandError, ExitCode } from '../errors';
import { durationText } from '../format';
import { jsonLine } from '../text';
import { withClient } from '../workplace';

export const snapshotCommand: Command = {
  name: 'snapshot',
  summary: 'Keep the warm container’s memory: its next start is restored from that',
  details: [
    'For a target of kind "docker" whose engine is Podman with CRIU 4, as root. The container goes on meanwhile.',
  ],
  options: [],
  run: async (context, { settings }) => {
    const { terminal } = context;
    const tookMs = await withClient(context, settings, async (client) => {
      if (client === undefined) {
        throw new CommandError('There is no warm container. Start one with: tiny-cats warm');
      }
      const startedAt = performance.now();
      await client.snapshot();
      return performance.now() - startedAt;
    });
    const text = `The container has a snapshot. It took ${durationText(tookMs)}.`;
    terminal.line(settings.json ? jsonLine({ tookMs }) : text);
    return ExitCode.done;
  },
};
