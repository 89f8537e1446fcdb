/**
 * Bundles the suite under test/inhost and runs it in a VS Code that loads the extension from this folder.
 *   node scripts/host/inhost.mjs                        in the browser host
 *   node scripts/host/inhost.mjs --electron [version]   in a desktop VS Code that is downloaded, 'stable' if not given
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { format } from 'node:util';
import esbuild from 'esbuild';
import { outDir, repositoryRoot } from './paths.mjs';
import { startServer } from './server.mjs';
import { endTagged, newTag } from './tagged.mjs';
import { openWorkbench } from './workbench.mjs';

const suiteTimeoutMs = 300_000;
/** What the suite puts before its lines; see test/inhost/index.ts. */
const linePrefix = '[in-host] ';
const bundleDir = join(outDir, 'inhost');
const testsPath = join(bundleDir, 'index.js');

async function bundle() {
  await rm(bundleDir, { recursive: true, force: true });
  await esbuild.build({
    absWorkingDir: repositoryRoot,
    entryPoints: ['test/inhost/index.ts', 'test/inhost/**/*.test.ts'],
    outbase: 'test/inhost',
    outdir: 'out/inhost',
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    keepNames: true,
    external: ['vscode', 'mocha'],
    logLevel: 'warning',
  });
}

/**
 * Shows the suite's lines and keeps all of them.
 * @returns {{ add: (text: string) => void, save: () => Promise<string> }} save returns the log's path
 */
function suiteLog() {
  /** @type {string[]} */
  const lines = [];
  return {
    add: (text) => {
      lines.push(text);
      if (text.startsWith(linePrefix)) console.log(text.slice(linePrefix.length));
    },
    save: async () => {
      const file = join(outDir, 'logs', 'inhost.log');
      await mkdir(join(outDir, 'logs'), { recursive: true });
      await writeFile(file, lines.join('\n'));
      return file;
    },
  };
}

/**
 * @param {string} folder the workspace
 * @param {Record<string, string>} env
 * @returns {Promise<boolean>} whether the suite passed
 */
async function runInBrowserHost(folder, env) {
  const server = await startServer({ testDriver: true, env });
  const log = suiteLog();
  try {
    /** @type {(exitCode: number) => void} */
    let end = () => undefined;
    const ended = new Promise((/** @type {(exitCode: number) => void} */ resolve) => (end = resolve));
    const { close } = await openWorkbench({
      server,
      folder,
      extensionDevelopmentPath: repositoryRoot,
      extensionTestsPath: testsPath,
      prepare: async (page) => {
        await page.exposeFunction(
          'codeAutomationLog',
          (/** @type {string} */ _type, /** @type {unknown[]} */ args) => log.add(format(...args)),
        );
        await page.exposeFunction('codeAutomationExit', end);
      },
    });
    const exitCode = await Promise.race([ended, delay(suiteTimeoutMs, 124, { ref: false })]);
    if (exitCode === 124) console.error(`The in-host suite did not end within ${suiteTimeoutMs / 1000} s.`);
    if (exitCode !== 0) console.error(`The whole log: ${await log.save()}`);
    await close();
    return exitCode === 0;
  } finally {
    await server.stop();
  }
}

/**
 * @param {string} version
 * @param {string} folder the workspace
 * @param {Record<string, string>} env
 * @returns {Promise<boolean>} whether the suite passed
 */
async function runInElectron(version, folder, env) {
  const { runTests } = await import('@vscode/test-electron');
  const tag = newTag();
  // Sockets live below it, and their paths may have about 100 bytes.
  const userData = await mkdtemp(join(tmpdir(), 'tc-'));
  // Set where this script is run from a VS Code's own terminal; it would turn the desktop into a plain Node.
  delete process.env.ELECTRON_RUN_AS_NODE;
  try {
    const exitCode = await runTests({
      version,
      extensionDevelopmentPath: repositoryRoot,
      extensionTestsPath: testsPath,
      extensionTestsEnv: { ...env, [tag]: '1' },
      launchArgs: [
        folder,
        ...[
          '--user-data-dir',
          userData,
          '--disable-extensions',
          '--disable-workspace-trust',
          '--disable-telemetry',
        ],
        ...['--disable-updates', '--skip-welcome', '--skip-release-notes', '--disable-gpu'],
      ],
    });
    return exitCode === 0;
  } catch (error) {
    console.error(error);
    return false;
  } finally {
    await endTagged(tag);
    await rm(userData, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

const electronAt = process.argv.indexOf('--electron');
const folder = await mkdtemp(join(tmpdir(), 'tiny-cats-workspace-'));
const countsFile = process.env.TINY_CATS_COUNTS ?? join(folder, '.counts.json');
let passed = false;
try {
  await bundle();
  const env = { TINY_CATS_COUNTS: countsFile };
  passed =
    electronAt === -1
      ? await runInBrowserHost(folder, env)
      : await runInElectron(process.argv[electronAt + 1] ?? 'stable', folder, env);
  if (passed && !existsSync(countsFile)) {
    console.error('VS Code says that the suite passed, but the suite did not report.');
    passed = false;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = passed ? 0 : 1;
