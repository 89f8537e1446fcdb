import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { outDir, vsixPath } from '../../../scripts/host/paths.mjs';
import { startServer } from '../../../scripts/host/server.mjs';
import type { HostServer } from '../../../scripts/host/server.mjs';
import { openWorkbench } from '../../../scripts/host/workbench.mjs';
import type { OpenWorkbench } from '../../../scripts/host/workbench.mjs';
import { oneLine, QuickInput } from './quickInput';

export type ColorTheme = 'Default Dark Modern' | 'Default Light Modern' | 'Default High Contrast';

export interface WorkbenchOptions {
  /** The workspace folder to open. */
  folder: string;
  /** User settings, over those that silence the workbench. */
  settings?: Record<string, unknown>;
  /** A packaged extension; the repository's own if not given. */
  vsix?: string;
  viewport?: { width: number; height: number };
  /** How long an extension host outlives its window, in seconds. */
  reconnectionGraceS?: number;
  /** The folder opens in Restricted Mode. */
  workspaceTrust?: boolean;
  /** More environment for the extension host and what it starts. */
  env?: Record<string, string>;
}

const bodyThemes: Record<ColorTheme, string> = {
  'Default Dark Modern': 'vs-dark',
  'Default Light Modern': 'vs',
  'Default High Contrast': 'hc-black',
};

/** How long to wait for anything that a user would wait for, in milliseconds. */
const patienceMs = 60_000;

/** A VS Code with the packaged extension installed, as a user sees it. */
export class Workbench {
  readonly quickInput: QuickInput;
  readonly page: Page;
  private readonly changedSettings: Record<string, unknown> = {};

  private constructor(
    readonly server: HostServer,
    private readonly opened: OpenWorkbench,
  ) {
    this.page = opened.page;
    this.page.setDefaultTimeout(patienceMs);
    this.quickInput = new QuickInput(this.page);
  }

  /** Starts a server with the extension and opens the folder in it; `close` ends both. */
  static async open(options: WorkbenchOptions): Promise<Workbench> {
    const { folder, settings, viewport, reconnectionGraceS, workspaceTrust, env } = options;
    const server = await startServer({
      vsix: [options.vsix ?? vsixPath],
      ...(settings && { settings }),
      ...(reconnectionGraceS !== undefined && { reconnectionGraceS }),
      ...(workspaceTrust !== undefined && { workspaceTrust }),
      ...(env && { env }),
    });
    try {
      const opened = await openWorkbench({ server, folder, ...(viewport && { viewport }) });
      const workbench = new Workbench(server, opened);
      await workbench.ready();
      return workbench;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Ends the browser, the server and every process started from it; a warm container, too. */
  async close(): Promise<void> {
    await this.opened.close();
    await this.server.stop();
  }

  /** Reloads the window. */
  async reload(): Promise<void> {
    await this.page.reload({ waitUntil: 'domcontentloaded' });
    await this.ready();
  }

  /** Quits VS Code and starts it again on the same data; processes that the extension detached live on. */
  async restart(): Promise<void> {
    const address = this.page.url();
    await this.page.goto('about:blank');
    await this.server.restart();
    await this.page.goto(address, { waitUntil: 'domcontentloaded' });
    await this.ready();
  }

  private async ready(): Promise<void> {
    // The notification bell comes last, when what was open before is open again.
    await this.statusBarItem('status.notifications').waitFor();
  }

  /** Runs a command from the palette by its whole title, such as 'Tiny Cats: Train'. */
  async runCommand(title: string): Promise<void> {
    await this.quickInput.runCommand(title);
  }

  /**
   * A status-bar item.
   * @param id '<publisher>.<extension>.<item>', or a part of it
   */
  statusBarItem(id: string): Locator {
    return this.page.locator(`.statusbar-item[id*="${id}"]`);
  }

  async statusBarText(id: string): Promise<string> {
    return oneLine(await this.statusBarItem(id).innerText());
  }

  /** Waits until a status-bar item shows a text. */
  async waitForStatus(id: string, text: string | RegExp): Promise<void> {
    await this.statusBarItem(id).filter({ hasText: text }).waitFor();
  }

  /** Opens a container of views by its name in the activity bar, unless it is open. */
  async openSidebar(title: string): Promise<void> {
    const tab = this.page.locator('.activitybar li.action-item', {
      has: this.page.locator(`a.action-label[aria-label^="${title}"]`),
    });
    if ((await tab.getAttribute('aria-expanded')) !== 'true') await tab.click();
    await this.page
      .locator('.sidebar .composite.title')
      .filter({ hasText: new RegExp(title, 'i') })
      .waitFor();
  }

  /** Rows of the trees in the open sidebar, first to last. */
  get treeRows(): Locator {
    return this.page.locator('.sidebar .pane-body .monaco-list-row');
  }

  async treeTexts(): Promise<string[]> {
    return (await this.treeRows.allInnerTexts()).map(oneLine);
  }

  /** The first row of a tree that contains the text. */
  treeRow(text: string | RegExp): Locator {
    return this.treeRows.filter({ hasText: text }).first();
  }

  /** Unfolds a row of a tree, unless it is. */
  async expandTreeRow(text: string | RegExp): Promise<void> {
    const row = this.treeRow(text);
    if ((await row.getAttribute('aria-expanded')) === 'false')
      await row.locator('.monaco-tl-twistie').click();
  }

  /** Clicks an inline action of a tree row by its title. */
  async clickTreeAction(row: string | RegExp, action: string): Promise<void> {
    await this.treeRow(row).hover();
    await this.treeRow(row).locator(`a.action-label[aria-label^="${action}"]`).click();
  }

  /**
   * The document in a webview on the screen: a panel, a custom editor or a view.
   * @param index where several are on the screen: 0 for the one that was opened first
   */
  webview(index = 0): FrameLocator {
    const frame = this.page.locator('iframe.webview.ready:visible').nth(index);
    return frame.contentFrame().frameLocator('iframe#active-frame');
  }

  /** Titles of the open editors, first to last. */
  async editorTitles(): Promise<string[]> {
    return this.page.locator('.tabs-container .tab .label-name').allTextContents();
  }

  /** Brings an editor to the front by its title. */
  async focusEditor(title: string): Promise<void> {
    await this.page.locator('.tabs-container .tab', { hasText: title }).first().click();
  }

  /** Notifications that are on the screen. */
  get notifications(): Locator {
    return this.page.locator('.notifications-toasts .notification-list-item');
  }

  async notificationTexts(): Promise<string[]> {
    const messages = await this.notifications.locator('.notification-list-item-message').allInnerTexts();
    return messages.map(oneLine);
  }

  /** Waits for a notification and clicks one of its buttons. */
  async answerNotification(text: string | RegExp, button: string): Promise<void> {
    await this.notifications
      .filter({ hasText: text })
      .locator('.notification-list-item-buttons-container a.monaco-button', { hasText: button })
      .click();
  }

  /** Changes settings for the open window; they go over the user's. Those of the application's scope cannot be changed. */
  async changeSettings(settings: Record<string, unknown>): Promise<void> {
    Object.assign(this.changedSettings, settings);
    await writeFile(this.server.machineSettingsFile, JSON.stringify(this.changedSettings, null, 2));
  }

  async setTheme(theme: ColorTheme): Promise<void> {
    await this.changeSettings({ 'workbench.colorTheme': theme });
    await this.page.locator(`.monaco-workbench.${bodyThemes[theme]}`).waitFor();
  }

  async setSize(width: number, height: number): Promise<void> {
    await this.page.setViewportSize({ width, height });
  }

  /**
   * Saves a picture of the window in out/screenshots.
   * @param name without extension
   * @returns the file's path
   */
  async screenshot(name: string): Promise<string> {
    const path = join(outDir, 'screenshots', `${name}.png`);
    await mkdir(dirname(path), { recursive: true });
    await this.page.screenshot({ path });
    return path;
  }

  /** By how many pixels the content of a part of the webview is wider than the part. */
  async pixelsTooWide(selector: string): Promise<number> {
    const part = `document.querySelector(${JSON.stringify(selector)})`;
    const widths = `${part}.scrollWidth - ${part}.clientWidth`;
    return Number(await this.webview().locator('body').evaluate(widths));
  }

  /** Keeps the server's logs, for a test that failed, in out/logs. */
  async saveLogs(name: string): Promise<void> {
    const target = join(outDir, 'logs', name);
    await rm(target, { recursive: true, force: true });
    await cp(join(this.server.dir, 'ud', 'logs'), target, { recursive: true });
    await cp(this.server.logFile, join(target, 'server.log'));
  }
}
