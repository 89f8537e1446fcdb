/** Opens the workbench of a host server in Chromium. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { isRoot } from './apt.mjs';
import { ensureChromium } from './browser.mjs';

/** @typedef {import('playwright-core').Browser} Browser */

/**
 * @typedef {object} WorkbenchOptions
 * @property {import('./server.mjs').HostServer} server
 * @property {string} folder the workspace to open
 * @property {string} [extensionDevelopmentPath] an extension to load from its folder; the server needs testDriver
 * @property {string} [extensionTestsPath] a module whose run() is called in the extension host
 * @property {{ width: number, height: number }} [viewport]
 * @property {(page: import('playwright-core').Page) => Promise<void>} [prepare] called before the page is loaded
 *
 * @typedef {object} OpenWorkbench
 * @property {import('playwright-core').Page} page the workbench, its address being loaded
 * @property {() => Promise<void>} close ends the browser
 */

/** @param {string} path absolute @returns {string} the path as it stands in an address */
const encodePath = (path) => path.split('/').map(encodeURIComponent).join('/');

/**
 * @param {string} origin of the server
 * @param {string} folder
 * @param {[name: string, value: string][]} [payload] what only the test driver listens to
 * @returns {string} the workbench's address
 */
export function workbenchAddress(origin, folder, payload = []) {
  const address = `${origin}/?folder=${encodePath(folder)}`;
  return payload.length === 0 ? address : `${address}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
}

/**
 * @param {import('./server.mjs').HostServer} server
 * @returns {Promise<Browser>}
 */
async function launchChromium(server) {
  const temporary = join(server.dir, 'browser');
  mkdirSync(temporary, { recursive: true });
  /** @type {import('playwright-core').LaunchOptions} */
  const options = {
    executablePath: await ensureChromium(),
    // The server's environment: its home, and its tag by which a browser that got stuck is ended with it.
    env: /** @type {Record<string, string>} */ ({ ...server.env, TMPDIR: temporary }),
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
      // Nothing but the server is reachable.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  };
  if (isRoot) return chromium.launch({ ...options, chromiumSandbox: false });
  try {
    return await chromium.launch({ ...options, chromiumSandbox: true });
  } catch (error) {
    // In most containers, and on an Ubuntu that restricts user namespaces. Only our own server's pages are opened.
    if (!/sandbox/i.test(String(error))) throw error;
    return chromium.launch({ ...options, chromiumSandbox: false });
  }
}

/**
 * @param {WorkbenchOptions} options
 * @returns {Promise<OpenWorkbench>} as soon as the page's document is there
 */
export async function openWorkbench(options) {
  const { server, folder, viewport = { width: 1280, height: 800 }, prepare } = options;
  const remote = `vscode-remote://127.0.0.1:${server.port}`;
  /** @type {[string, string][]} */
  const payload = [];
  for (const name of /** @type {const} */ (['extensionDevelopmentPath', 'extensionTestsPath'])) {
    const path = options[name];
    if (path !== undefined) payload.push([name, remote + encodePath(path)]);
  }
  const browser = await launchChromium(server);
  try {
    const context = await browser.newContext({ viewport });
    const page = await context.newPage();
    await prepare?.(page);
    const response = await page.goto(workbenchAddress(server.origin, folder, payload), {
      waitUntil: 'domcontentloaded',
    });
    if (!response?.ok())
      throw new Error(`The VS Code server answers ${response?.status()}; see ${server.logFile}`);
    return { page, close: () => browser.close() };
  } catch (error) {
    await browser.close();
    throw error;
  }
}
