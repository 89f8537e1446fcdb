import { basename } from 'node:path';
import type * as vscode from 'vscode';
import { webviewHtml, webviewOptions } from '../webviewHtml';
import type { CheckpointReader } from './checkpointReader';
import { checkpointReaders } from './checkpointReader';
import { Inspection } from './inspection';

/** As in the manifest's `customEditors`. */
export const inspectorViewType = 'tinyCats.checkpoint';

export interface InspectorDeps {
  vscode: typeof vscode;
  log: Pick<vscode.LogOutputChannel, 'error'>;
  /** The formats that can be shown, tried in order. */
  readers?: readonly CheckpointReader[];
}

function logError(log: InspectorDeps['log'], error: unknown): void {
  log.error(`Inspector: ${error instanceof Error ? error.message : String(error)}`);
}

/** Calls `changed` when the file is written, replaced or removed, inside a workspace folder or not. */
function watchFile(
  api: Pick<typeof vscode, 'workspace' | 'RelativePattern' | 'Uri'>,
  uri: vscode.Uri,
  changed: () => void,
): vscode.Disposable[] {
  // The whole folder and not the name: a name can hold characters that mean something in a pattern.
  const pattern = new api.RelativePattern(api.Uri.joinPath(uri, '..'), '*');
  const watcher = api.workspace.createFileSystemWatcher(pattern);
  const listener = (other: vscode.Uri) => {
    if (other.toString() === uri.toString()) {
      changed();
    }
  };
  return [
    watcher,
    watcher.onDidChange(listener),
    watcher.onDidCreate(listener),
    watcher.onDidDelete(listener),
  ];
}

class InspectorProvider implements vscode.CustomReadonlyEditorProvider {
  constructor(
    readonly extensionUri: vscode.Uri,
    readonly deps: InspectorDeps,
  ) {}

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): void {
    const { vscode: api, log, readers = checkpointReaders } = this.deps;
    const { webview } = panel;
    const inspection = new Inspection({
      path: uri.fsPath,
      readers,
      post: (message) => void webview.postMessage(message),
      copy: (text) => void api.env.clipboard.writeText(text),
    });
    const attempt = (work: Promise<void>) => void work.catch((error: unknown) => logError(log, error));
    const disposables = [
      // Set before the page exists, so that its first message is heard.
      webview.onDidReceiveMessage((data: unknown) => attempt(inspection.handle(data))),
      panel.onDidChangeViewState(() => {
        if (!panel.visible) {
          inspection.pageHidden();
        }
      }),
      ...watchFile(api, uri, () => attempt(inspection.fileChanged())),
    ];
    panel.onDidDispose(() => {
      inspection.dispose();
      for (const disposable of disposables) {
        disposable.dispose();
      }
    });
    webview.options = webviewOptions(this.extensionUri);
    webview.html = webviewHtml(webview, this.extensionUri, 'inspector', basename(uri.fsPath));
  }
}

/** The read-only editor for checkpoints. Disposing it unregisters the editor; open ones go with their tabs. */
export function registerInspector(
  context: Pick<vscode.ExtensionContext, 'extensionUri'>,
  deps: InspectorDeps,
): vscode.Disposable {
  return deps.vscode.window.registerCustomEditorProvider(
    inspectorViewType,
    new InspectorProvider(context.extensionUri, deps),
    { supportsMultipleEditorsPerDocument: true },
  );
}
