/** A VS Code server (code-server) that shares nothing with this user's own settings, extensions and processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endWithThisProcess, runQuietly, signalGroup } from './child.mjs';
import { ensureHost } from './installHost.mjs';
import { endTagged, newTag, taggedProcesses } from './tagged.mjs';

const here = dirname(fileURLToPath(import.meta.url));
/** Unix sockets live below the server's folder, and their paths may have 107 bytes. */
const longestTemporaryFolder = 40;
const startTimeoutMs = 60_000;

/**
 * @typedef {object} ServerOptions
 * @property {Record<string, unknown>} [settings] user settings, over those that silence the workbench
 * @property {readonly string[]} [vsix] packaged extensions to install first
 * @property {number} [reconnectionGraceS] how long extension hosts outlive their window, in seconds; 5 if not given
 * @property {boolean} [testDriver] lets a page's address load an extension from its folder and run tests in it; such
 *   a workbench shows no notifications
 * @property {boolean} [workspaceTrust] folders open in Restricted Mode until they are trusted
 * @property {Record<string, string>} [env] more environment for the server and its extensions
 *
 * @typedef {object} HostServer
 * @property {number} port
 * @property {string} origin http://127.0.0.1:port
 * @property {string} dir the server's own folder: settings, extensions, home and log
 * @property {string} home the HOME of the server and everything it starts
 * @property {string} machineSettingsFile settings over the user's; an open window notices when this file changes, which
 *   it does not for the user's own
 * @property {string} logFile
 * @property {NodeJS.ProcessEnv} env what the server was started with
 * @property {() => number[]} extensionHosts ids of the processes in which extensions run, one for each window
 * @property {() => Promise<void>} restart ends the server with its extension hosts and starts it again on the same
 *   port and data; processes that extensions detached live on
 * @property {() => Promise<void>} stop ends it and everything started from it, and removes its folder
 */

/** @returns {Promise<number>} a port of 127.0.0.1 that was free just now */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('No free port');
  return address.port;
}

/**
 * @param {string} dir
 * @param {string} tag
 * @param {Record<string, string>} extra
 * @returns {NodeJS.ProcessEnv}
 */
function isolatedEnvironment(dir, tag, extra) {
  const home = join(dir, 'home');
  // $PORT would override the address, the others reach into the server as well.
  const unwanted =
    /^(PORT|PASSWORD|HASHED_PASSWORD|CODE_SERVER_CONFIG|NODE_OPTIONS|ELECTRON_.*|VSCODE_.*|npm_.*)$/;
  const wanted = Object.entries(process.env).filter(([name]) => !unwanted.test(name));
  return {
    ...Object.fromEntries(wanted),
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local/share'),
    XDG_STATE_HOME: join(home, '.local/state'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_RUNTIME_DIR: join(dir, 'rt'),
    TMPDIR: join(dir, 'rt'),
    // An extension gallery that is nowhere: nothing is looked up.
    EXTENSIONS_GALLERY: '{"serviceUrl":""}',
    [tag]: '1',
    ...extra,
  };
}

/** @param {number} pid @returns {boolean} */
function isExtensionHost(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes('--type=extensionHost');
  } catch {
    return false; // ended meanwhile
  }
}

/**
 * @param {string} origin
 * @param {() => boolean} hasEnded
 * @returns {Promise<boolean>} false when the server ended or did not answer in time
 */
async function becomesHealthy(origin, hasEnded) {
  for (const until = Date.now() + startTimeoutMs; Date.now() < until && !hasEnded(); await delay(100)) {
    try {
      if ((await fetch(`${origin}/healthz`)).ok) return true;
    } catch {
      // Not listening yet.
    }
  }
  return false;
}

/**
 * Starts a server, installing the host first where it is missing.
 * @param {ServerOptions} [options]
 * @returns {Promise<HostServer>}
 * @throws {Error} with the end of the server's log when it does not start
 */
export async function startServer({
  settings = {},
  vsix = [],
  reconnectionGraceS = 5,
  testDriver = false,
  workspaceTrust = false,
  env: extra = {},
} = {}) {
  const host = await ensureHost();
  const dir = mkdtempSync(join(tmpdir().length > longestTemporaryFolder ? '/var/tmp' : tmpdir(), 'tc-'));
  const tag = newTag();
  const env = isolatedEnvironment(dir, tag, extra);
  const home = join(dir, 'home');
  const userData = join(dir, 'ud');
  const userSettingsFile = join(userData, 'User/settings.json');
  const machineSettingsFile = join(userData, 'Machine/settings.json');
  const logFile = join(dir, 'server.log');
  for (const path of [
    dirname(userSettingsFile),
    dirname(machineSettingsFile),
    join(dir, 'ext'),
    home,
    join(dir, 'rt'),
  ]) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  }
  const quiet = JSON.parse(await readFile(join(here, 'settings.json'), 'utf8'));
  const trust = {
    'security.workspace.trust.enabled': workspaceTrust,
    'security.workspace.trust.startupPrompt': 'never',
  };
  await writeFile(userSettingsFile, JSON.stringify({ ...quiet, ...trust, ...settings }, null, 2));
  await writeFile(machineSettingsFile, '{}');
  await writeFile(join(dir, 'config.yaml'), 'auth: none\n');
  const common = [
    host.entry,
    '--config',
    join(dir, 'config.yaml'),
    '--user-data-dir',
    userData,
    '--extensions-dir',
    join(dir, 'ext'),
  ];

  const cleanUp = async () => {
    await endTagged(tag);
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };

  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  let letLive = () => {};
  const hasEnded = () => !child || child.exitCode !== null || child.signalCode !== null;

  /** @param {number} port */
  const launch = async (port) => {
    const log = openSync(logFile, 'a');
    child = spawn(
      host.node,
      [
        ...common,
        ...[
          '--auth',
          'none',
          '--bind-addr',
          `127.0.0.1:${port}`,
          '--reconnection-grace-time',
          String(reconnectionGraceS),
        ],
        ...['--disable-telemetry', '--disable-update-check'],
        ...(workspaceTrust ? [] : ['--disable-workspace-trust']),
        ...['--disable-getting-started-override', '--disable-proxy'],
        ...(testDriver ? ['--vscode-option', 'enable-smoke-test-driver'] : []),
      ],
      { env, stdio: ['ignore', log, log], detached: true },
    );
    closeSync(log);
    if (child.pid !== undefined) letLive = endWithThisProcess(child.pid);
    if (await becomesHealthy(`http://127.0.0.1:${port}`, hasEnded)) return;
    await end();
    throw new Error(`The VS Code server did not start:\n${(await readFile(logFile, 'utf8')).slice(-3000)}`);
  };

  const end = async () => {
    if (child?.pid === undefined) return;
    const ended = once(child, 'exit');
    if (!hasEnded()) {
      child.kill('SIGTERM');
      await Promise.race([ended, delay(5000)]);
    }
    // Extension hosts and file watchers would outlive the server by seconds.
    signalGroup(child.pid, 'SIGKILL');
    letLive();
  };

  try {
    for (const file of vsix) {
      await runQuietly(host.node, [...common, '--install-extension', file], { env, timeoutMs: 120_000 });
    }
    let port = await freePort();
    await launch(port).catch(async () => launch((port = await freePort())));
    return {
      port,
      origin: `http://127.0.0.1:${port}`,
      dir,
      home,
      machineSettingsFile,
      logFile,
      env,
      extensionHosts: () => taggedProcesses(tag).filter(isExtensionHost),
      restart: async () => {
        await end();
        await launch(port);
      },
      stop: async () => {
        await end();
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}
