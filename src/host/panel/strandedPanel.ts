import type * as vscode from 'vscode';
import { VIEWS } from '../contributions';
import type { PanelManager } from './panelManager';

/** A panel that VS Code brings back after a reload of the window has its host within this. */
const GRACE_MS = 2000;

type Tabs = Pick<typeof vscode, 'TabInputWebview'> & { window: Pick<typeof vscode.window, 'tabGroups'> };

/** Tabs of the panel, whoever opened them: VS Code puts a prefix before the view's type. */
export function panelTabs(vs: Tabs): vscode.Tab[] {
  return vs.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter(({ input }) => input instanceof vs.TabInputWebview && input.viewType.endsWith(VIEWS.panel));
}

/**
 * When the extension host dies, VS Code starts another and leaves the panel on the screen with nobody behind it. This puts
 * a living one in its place as soon as it is looked at.
 */
export class StrandedPanel {
  private readonly subscription: vscode.Disposable;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly vs: Tabs,
    private readonly panel: Pick<PanelManager, 'isOpen' | 'show'>,
  ) {
    this.subscription = vs.window.tabGroups.onDidChangeTabs(this.look);
    this.look();
  }

  dispose(): void {
    this.subscription.dispose();
    clearTimeout(this.timer);
  }

  private readonly look = (): void => {
    if (this.timer === undefined && this.stranded() !== undefined) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        const tab = this.stranded();
        if (tab !== undefined) {
          this.panel.show(null, { viewColumn: tab.group.viewColumn, preserveFocus: true });
        }
      }, GRACE_MS);
    }
  };

  private stranded(): vscode.Tab | undefined {
    return this.panel.isOpen ? undefined : panelTabs(this.vs).find(({ isActive }) => isActive);
  }
}
