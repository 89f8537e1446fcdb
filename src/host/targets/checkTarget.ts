import type * as vscode from 'vscode';
import type { Finding, Target } from '../../targets/target';

const CHECK_LIMIT_MS = 60_000;
const ICONS = { ok: 'pass', warning: 'warning', error: 'error' } as const satisfies Record<
  Finding['severity'],
  string
>;

export interface CheckDeps {
  vs: Pick<typeof vscode, 'ProgressLocation' | 'ThemeIcon' | 'env' | 'window'>;
}

/** Says what a target lacks, each with the command that mends it: to copy, or typed into a terminal, not run. */
export async function checkTarget({ vs }: CheckDeps, target: Target): Promise<void> {
  const { window } = vs;
  const findings = await window.withProgress(
    { location: vs.ProgressLocation.Notification, title: `Checking ${target.name}`, cancellable: true },
    async (_progress, token) => {
      const stop = new AbortController();
      token.onCancellationRequested(() => stop.abort());
      return target.check(AbortSignal.any([stop.signal, AbortSignal.timeout(CHECK_LIMIT_MS)]));
    },
  );
  const copy = { iconPath: new vs.ThemeIcon('copy'), tooltip: 'Copy the command' };
  const pick = window.createQuickPick<vscode.QuickPickItem & { remedy?: string }>();
  const missing = findings.filter(({ severity }) => severity === 'error').length;
  pick.title = `${target.name}: ${missing === 0 ? 'ready' : missing === 1 ? '1 problem' : `${missing} problems`}`;
  pick.placeholder = findings.some(({ remedy }) => remedy !== undefined)
    ? 'Choose a line with a command to have it typed into a terminal'
    : 'What the check found';
  pick.matchOnDetail = true;
  pick.items = findings.map(({ severity, what, remedy }) => {
    // A line is cut off where the box ends: the reason has one of its own.
    const [label = '', reason] = what.replace(/\s+/g, ' ').split(/: (.*)/);
    const shown = remedy === undefined ? reason : undefined;
    return {
      label: `$(${ICONS[severity]}) ${shown === undefined ? what.replace(/\s+/g, ' ') : label}`,
      ...(shown === undefined ? {} : { detail: shown }),
      ...(remedy === undefined ? {} : { detail: remedy, remedy, buttons: [copy] }),
    };
  });
  pick.onDidTriggerItemButton(({ item }) => {
    void vs.env.clipboard.writeText(item.remedy ?? '');
  });
  pick.onDidAccept(() => {
    const remedy = pick.selectedItems[0]?.remedy;
    pick.hide();
    if (remedy !== undefined) {
      const terminal = window.createTerminal('Tiny Cats');
      terminal.show();
      // The user reads it and presses Enter.
      terminal.sendText(remedy, false);
    }
  });
  pick.onDidHide(() => pick.dispose());
  pick.show();
}
