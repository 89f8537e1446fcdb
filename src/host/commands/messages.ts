import type * as vscode from 'vscode';
import { ErrorCode } from '../../protocol/rpc';
import { ContainerStartError } from '../../targets/target';
import { errorCodeOf, messageOf } from '../container/rpcError';
import type { CommandName } from '../contributions';
import { COMMANDS, SETTINGS_SECTION } from '../contributions';
import { SettingsError } from '../settings';
import { InterpreterError } from '../../python/interpreter';

export interface MessageDeps {
  vs: Pick<typeof vscode, 'commands' | 'window'>;
  log: Pick<vscode.LogOutputChannel, 'error' | 'show'>;
}

/** A button of a message. */
export interface Action {
  title: string;
  run: () => unknown;
}

export function commandAction(
  { vs }: MessageDeps,
  title: string,
  name: CommandName,
  ...args: unknown[]
): Action {
  return { title, run: () => vs.commands.executeCommand(COMMANDS[name].id, ...args) };
}

/** Says what failed, with buttons that help. Does not wait for the user. */
export function reportError(deps: MessageDeps, error: unknown): void {
  const text = messageOf(error);
  deps.log.error(error instanceof Error ? error : text);
  offer(deps, 'showErrorMessage', text, helpFor(deps, error));
}

/** Shows a message with buttons. Does not wait for the user. */
export function offer(
  deps: MessageDeps,
  kind: 'showErrorMessage' | 'showWarningMessage' | 'showInformationMessage',
  text: string,
  actions: readonly Action[],
): void {
  const titles = actions.map(({ title }) => title);
  deps.vs.window[kind](text, ...titles).then(
    (chosen) => {
      void actions.find(({ title }) => title === chosen)?.run();
    },
    (error: unknown) => deps.log.error(messageOf(error)),
  );
}

function helpFor(deps: MessageDeps, error: unknown): Action[] {
  const openSettings = (query: string): Action => ({
    title: 'Open Settings',
    run: () => deps.vs.commands.executeCommand('workbench.action.openSettings', query),
  });
  if (error instanceof SettingsError) {
    return [openSettings(`${SETTINGS_SECTION}.${error.setting}`)];
  }
  if (errorCodeOf(error) === ErrorCode.protocolMismatch) {
    return [commandAction(deps, 'Restart Container', 'restartContainer')];
  }
  if (error instanceof InterpreterError) {
    return [openSettings(`${SETTINGS_SECTION}.pythonInterpreter`)];
  }
  if (error instanceof ContainerStartError) {
    return [openSettings(SETTINGS_SECTION), { title: 'Show Output', run: () => deps.log.show() }];
  }
  return [
    commandAction(deps, 'Show Panel', 'showPanel'),
    { title: 'Show Output', run: () => deps.log.show() },
  ];
}
