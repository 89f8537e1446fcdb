import type * as vscode from 'vscode';
import type { ContainerModel } from './container/containerModel';
import type { ContextKey } from './contributions';
import { CONTEXT_KEYS } from './contributions';
import type { Disposable } from './disposables';
import type { Environment } from './environment';

/** Keeps the keys of `when` clauses true to the container and the workspace. */
export function trackContextKeys(
  vs: Pick<typeof vscode, 'commands'>,
  container: ContainerModel,
  environment: Environment,
): Disposable {
  const last = new Map<ContextKey, unknown>();
  const update = (): void => {
    const values: Record<ContextKey, string | boolean> = {
      state: container.view.state,
      training: container.runningRunId !== undefined,
      stopping: container.isStopping,
      mayTrain: environment.mayTrain,
    };
    for (const key of ['state', 'training', 'stopping', 'mayTrain'] as const) {
      if (last.get(key) !== values[key]) {
        last.set(key, values[key]);
        void vs.commands.executeCommand('setContext', CONTEXT_KEYS[key], values[key]);
      }
    }
  };
  container.on('change', update);
  const environmentListener = environment.onChange(update);
  update();
  return {
    dispose: () => {
      container.off('change', update);
      environmentListener.dispose();
    },
  };
}
