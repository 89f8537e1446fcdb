import { join, normalize } from 'node:path';
import type * as vscode from 'vscode';
import { splitEntrypoint } from '../../protocol/program';
import { messageOf } from '../container/rpcError';
import type { Disposable } from '../disposables';
import { DisposableStore } from '../disposables';
import type { Environment } from '../environment';
import type { PanelManager } from '../panel/panelManager';
import type { CodeModel } from './codeModel';

export interface SyncCodeDeps {
  vs: Pick<typeof vscode, 'workspace'>;
  code: CodeModel;
  environment: Environment;
  panel: PanelManager;
  log: Pick<vscode.LogOutputChannel, 'warn'>;
}

/** The panel's form follows the signature of the user's code: while the panel is there, whenever its file is saved. */
export function syncCode({ vs, code, environment, panel, log }: SyncCodeDeps): Disposable {
  const store = new DisposableStore();
  const refresh = (): void => {
    code.refresh().catch((error: unknown) => log.warn(messageOf(error)));
  };
  const refreshIfShown = (): void => {
    if (panel.model !== undefined) {
      refresh();
    }
  };
  const changed = (): void => panel.model?.refresh();
  code.on('change', changed);
  store.add({ dispose: () => code.off('change', changed) });
  panel.on('shown', refresh);
  store.add({ dispose: () => panel.off('shown', refresh) });
  store.add(environment.onChange(refreshIfShown));
  store.add(
    vs.workspace.onDidSaveTextDocument(({ uri }) => {
      const { entrypoint } = code;
      const { folder } = environment;
      if (entrypoint !== undefined && folder !== undefined) {
        const file = join(folder, splitEntrypoint(entrypoint).path);
        if (normalize(uri.fsPath) === file) {
          refreshIfShown();
        }
      }
    }),
  );
  return store;
}
