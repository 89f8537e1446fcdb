import type * as vscode from 'vscode';
import type { ContainerModel } from './container/containerModel';
import { messageOf } from './container/rpcError';
import type { Disposable } from './disposables';
import type { Environment } from './environment';
import type { HistoryModel } from './history/historyModel';
import type { PanelManager } from './panel/panelManager';
import type { HostSettings } from './settings';
import { containerSettings } from './settings';

export interface SettingsSyncDeps {
  environment: Environment;
  container: ContainerModel;
  history: HistoryModel;
  panel: Pick<PanelManager, 'model'>;
  log: Pick<vscode.LogOutputChannel, 'warn'>;
}

/** Carries changed settings over: other folders mean another container and another history. */
export function syncSettings({ environment, container, history, panel, log }: SettingsSyncDeps): Disposable {
  let place = placeOf(environment.usableSettings);
  return environment.onChange(() => {
    const settings = environment.usableSettings;
    if (placeOf(settings) !== place) {
      place = placeOf(settings);
      container.close();
      history.reset();
      panel.model?.show(null);
    } else if (settings !== undefined) {
      container.configure(containerSettings(settings)).catch((error: unknown) => log.warn(messageOf(error)));
      panel.model?.refresh();
    }
  });
}

function placeOf(settings: HostSettings | undefined): string {
  return JSON.stringify([settings?.target, settings?.outputsDir, settings?.dataDir]);
}
