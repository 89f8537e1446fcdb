import { randomBytes } from 'node:crypto';
import type * as vscode from 'vscode';

/** The scripts that the build puts into dist/webview, each beside a style sheet of its name. */
export type WebviewBundle = 'panel' | 'inspector';

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

/** What is needed of a `vscode.Uri` to make others from it. */
interface Address<Self> {
  readonly path: string;
  with(change: { path: string }): Self;
}

function bundleFolder<U extends Address<U>>(extensionUri: U): U {
  return extensionUri.with({ path: `${extensionUri.path}/dist/webview` });
}

/** What every webview of the extension may do: run scripts, and load files from dist/webview alone. */
export function webviewOptions(extensionUri: vscode.Uri): vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [bundleFolder(extensionUri)] };
}

/**
 * The page that loads one bundle into `<div id="app">`. Its policy allows that script, style sheets and images of
 * the extension, and no connection at all. The component library looks for the nonce in `csp-nonce`: with an empty style
 * element it finds out whether the browser knows `:focus-visible`.
 */
export function webviewHtml<U extends Address<U>>(
  webview: { readonly cspSource: string; asWebviewUri(uri: U): { toString(): string } },
  extensionUri: U,
  bundle: WebviewBundle,
  title: string,
): string {
  const nonce = randomBytes(16).toString('hex');
  const folder = bundleFolder(extensionUri);
  const source = (extension: string) =>
    escapeHtml(
      webview.asWebviewUri(folder.with({ path: `${folder.path}/${bundle}.${extension}` })).toString(),
    );
  const policy = [
    "default-src 'none'",
    `style-src ${webview.cspSource} 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    `img-src ${webview.cspSource} data:`,
    `font-src ${webview.cspSource}`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta property="csp-nonce" content="${nonce}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${source('css')}">
<title>${escapeHtml(title)}</title>
</head>
<body>
<div id="app"></div>
<script nonce="${nonce}" src="${source('js')}"></script>
</body>
</html>
`;
}
