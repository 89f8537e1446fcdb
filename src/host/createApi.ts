import type { HistoryEntry, TinyCatsApi } from './api';
import type { ContainerModel } from './container/containerModel';
import type { LiveRun } from './container/liveRun';
import { listen } from './disposables';
import type { HistoryModel } from './history/historyModel';
import type { PanelManager } from './panel/panelManager';
import type { StatusItem } from './statusBar/statusItem';

export interface ApiDeps {
  container: ContainerModel;
  live: LiveRun;
  history: HistoryModel;
  panel: PanelManager;
  status: StatusItem;
  historyItems: () => Promise<readonly HistoryEntry[]>;
}

export function createApi({ container, live, history, panel, status, historyItems }: ApiDeps): TinyCatsApi {
  return {
    get container() {
      return container.view;
    },
    get runningRunId() {
      return container.runningRunId;
    },
    get statusText() {
      return status.text;
    },
    get runs() {
      return history.runs.map(({ record }) => record);
    },
    historyItems,
    get panelVisible() {
      return panel.isVisible;
    },
    get panelMessages() {
      return panel.lastMessages;
    },
    onDidChange: (listener) => {
      const subscriptions = [
        listen(container, 'change', listener),
        listen(live, 'change', listener),
        listen(history, 'change', listener),
        listen(panel, 'posted', listener),
      ];
      return { dispose: () => subscriptions.forEach((subscription) => void subscription.dispose()) };
    },
  };
}
