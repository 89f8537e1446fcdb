/**
 * Builds the extension and opens a VS Code with it: the installed `code` where there is one that can be used, else a
 * VS Code host in the browser.
 *   node scripts/start.mjs [--browser]     --browser: the host in the browser in any case
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRoot } from './host/apt.mjs';
import { runToEnd, works } from './host/child.mjs';
import { outDir, repositoryRoot, scriptsDir, vsixPath } from './host/paths.mjs';
import { startServer } from './host/server.mjs';
import { workbenchAddress } from './host/workbench.mjs';

const welcome = `# Tiny Cats

1. Press F1 and run **Tiny Cats: Train**.
2. Choose the sample data set, or a folder that holds a folder of images for each class.
3. Watch the container warm up in the status bar and the run in the panel.
4. Run **Tiny Cats: Rerun on Warm Container**.
5. Open the best checkpoint of a run from the Tiny Cats sidebar.
`;

/** @param {string} script a file of this folder @param {string[]} args */
async function runScript(script, ...args) {
  const { exitCode } = await runToEnd(process.execPath, [join(scriptsDir, script), ...args], {
    cwd: repositoryRoot,
  });
  if (exitCode !== 0) process.exit(exitCode);
}

/** @returns {Promise<string>} a folder to work in; what is there already is kept */
async function sampleWorkspace() {
  const folder = join(outDir, 'sample-workspace');
  await mkdir(folder, { recursive: true });
  const readme = join(folder, 'README.md');
  if (!existsSync(readme)) await writeFile(readme, welcome);
  return folder;
}

/** @returns {Promise<boolean>} whether a desktop VS Code can open a window here */
async function desktopIsUsable() {
  if (process.argv.includes('--browser')) return false;
  const { DISPLAY, WAYLAND_DISPLAY, VSCODE_IPC_HOOK_CLI } = process.env;
  // In a remote window's terminal `code` is a stand-in that loads no extension from a folder; root's does not start.
  if (VSCODE_IPC_HOOK_CLI || isRoot) return false;
  if (process.platform === 'linux' && !DISPLAY && !WAYLAND_DISPLAY) return false;
  return works('code');
}

/** @param {string} folder */
async function openDesktop(folder) {
  const { exitCode } = await runToEnd('code', [
    '--new-window',
    `--extensionDevelopmentPath=${repositoryRoot}`,
    ...['--disable-telemetry', '--skip-welcome', '--skip-release-notes'],
    folder,
  ]);
  process.exitCode = exitCode;
}

/** @param {string} address */
function openInBrowser(address) {
  if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return;
  const opener = spawn('xdg-open', [address], { stdio: 'ignore', detached: true });
  opener.on('error', () => undefined); // without xdg-open the printed address has to do
  opener.unref();
}

/** @param {string} folder */
async function serve(folder) {
  await runScript('package.mjs');
  /** @type {Promise<void>} */
  const stopped = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve());
  });
  const server = await startServer({ vsix: [vsixPath], settings: { 'workbench.startupEditor': 'readme' } });
  const address = workbenchAddress(server.origin, folder);
  console.log(`VS Code with Tiny Cats: ${address}   (Ctrl+C ends it)`);
  openInBrowser(address);
  await stopped;
  await server.stop();
}

await runScript('build.mjs');
const folder = await sampleWorkspace();
if (await desktopIsUsable()) await openDesktop(folder);
else await serve(folder);
