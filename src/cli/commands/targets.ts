import type { Finding } from '../../targets/target';
import { LOCAL_TARGET } from '../../targets/config';
import { openTarget } from '../../targets/openTarget';
import { lookAtTarget } from '../../targets/targetState';
import type { CliContext, Command } from '../command';
import { ExitCode, UsageError } from '../errors';
import { tableLines } from '../format';
import type { Settings } from '../settings';
import { configOf, readTargets } from '../targetFiles';
import { jsonLine, plain, plainLines } from '../text';

const CHECK_LIMIT_MS = 60_000;
const MARKS = { ok: 'ok', warning: 'warning', error: 'missing' } as const satisfies Record<
  Finding['severity'],
  string
>;

export const targetsCommand: Command = {
  name: 'targets',
  summary: 'List where containers can live, with their state; "targets check NAME" says what one lacks',
  details: [
    'Targets are configured in .vscode/settings.json under "tinyCats.targets", or for every workspace in ' +
      '~/.tiny-cats/targets.json as { "targets": [ … ] }. "local" is always there. --target NAME uses one.',
    'A check starts and changes nothing. It exits with 1 if something is missing, and names the command that mends it.',
  ],
  positional: { name: 'check NAME', required: false, many: true },
  options: [],
  run: async (context, { settings, positionals }) => {
    const [word, name, ...surplus] = positionals;
    if (word === undefined) {
      return list(context, settings);
    }
    if (word !== 'check' || name === undefined || surplus.length > 0) {
      throw new UsageError('"targets" lists them; "targets check NAME" checks one. Quote names with spaces.');
    }
    return check(context, settings, name);
  },
};

async function list({ terminal, cwd, bundleDir }: CliContext, settings: Settings): Promise<ExitCode> {
  const configs = [LOCAL_TARGET, ...readTargets(cwd)];
  terminal.progress(`Looking at ${configs.length} targets…`);
  const looks = await Promise.all(
    configs.map(async (config) => {
      const { target } = openTarget(config, { bundleDir, ...settings });
      try {
        return { name: config.name, kind: config.kind, ...(await lookAtTarget(target)) };
      } finally {
        await target.dispose().catch(() => undefined);
      }
    }),
  );
  terminal.clearProgress();
  const lines = settings.json
    ? [jsonLine(looks)]
    : tableLines(
        [{ title: 'TARGET' }, { title: 'KIND' }, { title: 'STATE' }, { title: '' }],
        looks.map(({ name, kind, state, detail }) => [
          plain(name),
          kind,
          state,
          plain(detail.split('\n')[0] ?? ''),
        ]),
      );
  lines.forEach((line) => terminal.line(line));
  return ExitCode.done;
}

async function check(
  { terminal, cwd, bundleDir }: CliContext,
  settings: Settings,
  name: string,
): Promise<ExitCode> {
  const { target } = openTarget(configOf(cwd, name), { bundleDir, ...settings });
  terminal.progress(`Checking ${name}…`);
  try {
    const findings = await target.check(AbortSignal.timeout(CHECK_LIMIT_MS));
    terminal.clearProgress();
    if (settings.json) {
      terminal.line(jsonLine(findings));
    } else {
      for (const { severity, what, remedy } of findings) {
        terminal.line(`${MARKS[severity].padEnd(8)} ${plainLines(what)}`);
        if (remedy !== undefined) {
          terminal.line(`${' '.repeat(9)}${terminal.style(plainLines(remedy), 'bold')}`);
        }
      }
    }
    return findings.some(({ severity }) => severity === 'error') ? ExitCode.failed : ExitCode.done;
  } finally {
    terminal.clearProgress();
    await target.dispose().catch(() => undefined);
  }
}
