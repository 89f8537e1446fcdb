import type * as vscode from 'vscode';
import type { ContainerView } from '../../protocol/panel';
import type { CommandName } from '../contributions';
import { COMMANDS } from '../contributions';

export interface ActionChoice {
  label: string;
  description?: string;
  command: CommandName;
}

export interface ActionState {
  view: ContainerView;
  isRunning: boolean;
  isStopping: boolean;
  mayTrain: boolean;
  hasRuns: boolean;
}

/** What can be done now, the likeliest first. */
export function actionChoices({
  view,
  isRunning,
  isStopping,
  mayTrain,
  hasRuns,
}: ActionState): ActionChoice[] {
  const choices: (ActionChoice | false)[] = [
    mayTrain &&
      isRunning &&
      !isStopping && {
        label: '$(debug-stop) Stop Training',
        description: 'after this step, with a checkpoint',
        command: 'stop',
      },
    mayTrain &&
      isStopping && {
        label: '$(debug-stop) Stop Now',
        description: 'without waiting for the step; unsaved work is lost',
        command: 'stopNow',
      },
    mayTrain && !isRunning && { label: '$(play) Train', command: 'train' },
    mayTrain &&
      !isRunning &&
      hasRuns && {
        label: '$(debug-restart) Rerun on Warm Container',
        ...(view.state === 'cold' ? { description: 'starts a container first' } : {}),
        command: 'rerun',
      },
    { label: '$(graph-line) Show Panel', command: 'showPanel' },
    hasRuns && { label: '$(output) Show Log', command: 'showLog' },
    mayTrain && view.state === 'cold' && { label: '$(flame) Warm Up Container', command: 'warmUp' },
    mayTrain &&
      view.state !== 'cold' &&
      view.state !== 'cooling' && { label: '$(debug-disconnect) Cool Down Container', command: 'coolDown' },
    mayTrain && { label: '$(remote) Select Target', description: view.target, command: 'selectTarget' },
    mayTrain && { label: '$(folder) Select Data Folder', command: 'selectDataFolder' },
  ];
  return choices.filter((choice) => choice !== false);
}

/** Offers them, under the status item. */
export async function showActions(
  vs: Pick<typeof vscode, 'commands' | 'window'>,
  state: ActionState,
): Promise<void> {
  const word = state.view.link === 'reconnecting' ? 'reconnecting' : state.view.state;
  const chosen = await vs.window.showQuickPick(actionChoices(state), {
    title: `Tiny Cats: container ${word}`,
  });
  if (chosen !== undefined) {
    await vs.commands.executeCommand(COMMANDS[chosen.command].id);
  }
}
