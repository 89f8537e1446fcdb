import assert from 'node:assert/strict';
import { webviewHtml } from '../../../src/host/webviewHtml';

/** An address, as far as the page needs one. */
interface Address {
  path: string;
  with(change: { path: string }): Address;
  toString(): string;
}

const address = (path: string): Address => ({
  path,
  with: (change) => address(change.path),
  toString: () => `file://${path}`,
});

describe('the page of a webview', () => {
  const webview = { cspSource: 'https://source.test', asWebviewUri: (uri: Address) => uri };
  const html = (title: string) => webviewHtml(webview, address('/ext'), 'panel', title);

  it('allows its own script and styles and nothing else', () => {
    const page = html('Tiny Cats');
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
    const nonce = /script-src 'nonce-([0-9a-f]{32})'/.exec(policy)?.[1] ?? '';
    assert.match(policy, /^default-src 'none'; /);
    assert.doesNotMatch(policy, /unsafe|\*|connect-src/);
    assert.deepEqual(page.match(/<script[^>]*>/g), [
      `<script nonce="${nonce}" src="file:///ext/dist/webview/panel.js">`,
    ]);
    assert.match(page, /<link rel="stylesheet" href="file:\/\/\/ext\/dist\/webview\/panel\.css">/);
    assert.doesNotMatch(page, /<style| style=| on\w+=/);
    assert.notEqual(html('Tiny Cats'), page, 'each page has its own nonce');
  });

  it('keeps markup in a title as text', () => {
    assert.match(html('a</title><b>"&'), /<title>a&lt;\/title&gt;&lt;b&gt;&quot;&amp;<\/title>/);
  });
});
