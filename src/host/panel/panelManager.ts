import { EventEmitter } from 'node:events';
import type * as vscode from 'vscode';
import * as v from 'valibot';
import type { HostToPanel, PanelToHost } from '../../protocol/panel';
import { panelStateSchema, panelToHostSchema } from '../../protocol/panel';
import { parse } from '../../protocol/schema';
import { VIEWS } from '../contributions';
import type { Disposable } from '../disposables';
import { DisposableStore } from '../disposables';
import { webviewHtml, webviewOptions } from '../webviewHtml';
import type { PanelModelDeps } from './panelModel';
import { PanelModel } from './panelModel';
import { panelTabs } from './strandedPanel';

export interface PanelManagerDeps extends Omit<PanelModelDeps, 'post'> {
  vs: Pick<typeof vscode, 'TabInputWebview' | 'Uri' | 'ViewColumn' | 'window'>;
  extensionUri: vscode.Uri;
  log: Pick<vscode.LogOutputChannel, 'error'>;
  /** Looks for a living container; never starts one. */
  find: () => void;
}

/** What the panel asks of others than its model. */
export type PanelRequest = Exclude<PanelToHost, { type: 'ready' | 'resync' | 'wantSample' }>;

const KEPT_MESSAGES = 200;

/** The one panel: opens it, brings it back after a reload, and passes its messages on. */
export class PanelManager
  extends EventEmitter<{ posted: []; shown: [] }>
  implements vscode.WebviewPanelSerializer
{
  private current:
    { panel: vscode.WebviewPanel; model: PanelModel; disposables: DisposableStore } | undefined;
  private readonly serializer: Disposable;
  private readonly posted: HostToPanel[] = [];
  /** Answers what the user does in the panel; set by the commands. */
  onMessage: (message: PanelRequest) => Promise<void> = () => Promise.resolve();

  constructor(private readonly deps: PanelManagerDeps) {
    super();
    this.serializer = deps.vs.window.registerWebviewPanelSerializer(VIEWS.panel, this);
  }

  get model(): PanelModel | undefined {
    return this.current?.model;
  }

  get isOpen(): boolean {
    return this.current !== undefined;
  }

  get isVisible(): boolean {
    return this.current?.panel.visible ?? false;
  }

  /** The newest messages to the page, oldest first. */
  get lastMessages(): readonly HostToPanel[] {
    return this.posted;
  }

  /**
   * Opens the panel or brings it to the front.
   * @param runId null: the newest run
   * @param place where it opens; the group that has the focus if not given
   */
  show(runId: string | null, place?: { viewColumn: vscode.ViewColumn; preserveFocus: boolean }): void {
    const { vs, extensionUri } = this.deps;
    this.deps.find();
    if (this.current === undefined) {
      const leftovers = panelTabs(vs);
      const panel = vs.window.createWebviewPanel(
        VIEWS.panel,
        'Tiny Cats',
        place ?? vs.ViewColumn.Active,
        webviewOptions(extensionUri),
      );
      this.adopt(panel, runId);
      void vs.window.tabGroups.close(leftovers, true);
    } else {
      this.current.model.show(runId);
      this.current.panel.reveal(undefined, true);
    }
  }

  /** Brings the panel to the front with what it shows; opens it on the newest run if there is none. */
  reveal(): void {
    if (this.current === undefined) {
      this.show(null);
    } else {
      this.current.panel.reveal();
    }
  }

  /** A panel of before the reload comes back. */
  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    if (this.current !== undefined) {
      panel.dispose();
      return Promise.resolve();
    }
    const kept = v.safeParse(panelStateSchema, state);
    this.deps.find();
    this.adopt(panel, kept.success ? kept.output.runId : null);
    return Promise.resolve();
  }

  dispose(): void {
    this.serializer.dispose();
    const { current } = this;
    this.current = undefined;
    // The panel itself stays, so that a reload of the window brings it back.
    current?.disposables.dispose();
  }

  private adopt(panel: vscode.WebviewPanel, runId: string | null): void {
    const { deps } = this;
    const disposables = new DisposableStore();
    const model = disposables.add(new PanelModel({ ...deps, post: (message) => this.post(panel, message) }));
    this.current = { panel, model, disposables };
    model.show(runId);
    this.emit('shown');
    disposables.add(panel.webview.onDidReceiveMessage((data: unknown) => void this.receive(model, data)));
    disposables.add(
      panel.onDidChangeViewState(() => {
        if (panel.visible) {
          this.emit('shown');
        } else {
          model.pageHidden();
        }
      }),
    );
    panel.onDidDispose(() => {
      disposables.dispose();
      if (this.current?.panel === panel) {
        this.current = undefined;
      }
    });
    const { Uri } = deps.vs;
    panel.iconPath = Uri.joinPath(deps.extensionUri, 'media', 'tiny-cats.svg');
    panel.webview.options = webviewOptions(deps.extensionUri);
    panel.webview.html = webviewHtml(panel.webview, deps.extensionUri, 'panel', 'Tiny Cats');
  }

  private post(panel: vscode.WebviewPanel, message: HostToPanel): void {
    // Pictures would fill the memory.
    if (message.type !== 'sample') {
      this.posted.push(message);
    }
    if (this.posted.length > KEPT_MESSAGES) {
      this.posted.shift();
    }
    void panel.webview.postMessage(message);
    this.emit('posted');
  }

  private async receive(model: PanelModel, data: unknown): Promise<void> {
    try {
      const message = parse(panelToHostSchema, data, 'message from the panel');
      if (message.type === 'ready') {
        model.pageReady();
      } else if (message.type === 'resync') {
        model.refresh();
      } else if (message.type === 'wantSample') {
        await model.sendSample(message.runId, message.file);
      } else {
        await this.onMessage(message);
      }
    } catch (error) {
      this.deps.log.error(error instanceof Error ? error : String(error));
    }
  }
}
