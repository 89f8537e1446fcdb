import type * as vscode from 'vscode';
import type { ContainerModel } from './container/containerModel';
import type { ContextKey } from './contributions';
import { CONTEXT_KEYS, namesAndValues } from './contributions';
import type { Disposable } from './disposables';
import { listen } from './disposables';

/** Keeps the keys of `when` clauses true to the container. */
export function trackContextKeys(vs: Pick<typeof vscode, 'commands'>, container: ContainerModel): Disposable {
  const current: Record<ContextKey, () => boolean> = {
    hasContainer: () => container.view.state !== 'cold',
    training: () => container.runningRunId !== undefined,
    stopping: () => container.isStopping,
  };
  const last = new Map<string, boolean>();
  const update = (): void => {
    for (const [name, key] of namesAndValues(CONTEXT_KEYS)) {
      const value = current[name]();
      if (last.get(key) !== value) {
        last.set(key, value);
        void vs.commands.executeCommand('setContext', key, value);
      }
    }
  };
  update();
  return listen(container, 'change', update);
}
