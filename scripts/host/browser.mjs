/** Finds a Chromium for the workbench, or installs one. */
import { existsSync } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import { aptCommand, installWithApt, isUbuntu } from './apt.mjs';
import { runToEnd, works } from './child.mjs';
import { repositoryRoot } from './paths.mjs';

const programs = ['chromium', 'google-chrome', 'google-chrome-stable', 'chromium-browser'];
/** Debian's Chromium comes without a font. */
const debianPackages = ['chromium', 'fonts-dejavu-core'];

/**
 * @param {string} file
 * @returns {Promise<boolean>} whether it runs headless against a profile of our own: a snap cannot see the temporary
 *   folder, and Ubuntu's packages are scripts that only name the snap
 */
async function isUsable(file) {
  if (!existsSync(file)) return false;
  const real = await realpath(file);
  if (real.startsWith('/snap/') || real.endsWith('/snap')) return false;
  const program = await open(real);
  const { buffer, bytesRead } = await program
    .read(Buffer.alloc(4096), 0, 4096, 0)
    .finally(() => program.close());
  const start = buffer.toString('latin1', 0, bytesRead);
  if (start.startsWith('#!') && start.includes('/snap/bin/')) return false;
  return works(file);
}

/** @returns {Promise<string | undefined>} */
async function findChromium() {
  const named = process.env.CHROME_PATH;
  if (named) {
    if (await works(named)) return named;
    throw new Error(`CHROME_PATH names ${named}, which does not run.`);
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const candidates = programs.flatMap((program) => folders.map((folder) => join(folder, program)));
  for (const file of [...candidates, chromium.executablePath()]) if (await isUsable(file)) return file;
  return undefined;
}

/** The second way, and on Ubuntu the first: Playwright's own build, with the libraries it needs where we may. */
async function installFromPlaywright() {
  const cli = join(repositoryRoot, 'node_modules/playwright-core/cli.js');
  console.error("Installing Playwright's Chromium.");
  /** @param {string[]} args */
  const install = async (...args) =>
    (
      await runToEnd(process.execPath, [cli, 'install', ...args, 'chromium'], {
        output: 'stderr',
        timeoutMs: 600_000,
      })
    ).exitCode === 0;
  const mayInstallLibraries = process.getuid?.() === 0 || (await works('sudo', ['-n', 'true']));
  if (!(mayInstallLibraries && (await install('--with-deps')))) await install();
}

/**
 * @returns {Promise<string>} the path of a Chromium that runs
 * @throws {Error} saying what to install
 */
export async function ensureChromium() {
  const found = await findChromium();
  if (found) return found;
  let failure = '';
  if (!isUbuntu()) {
    try {
      await installWithApt(debianPackages);
    } catch (error) {
      failure = `\n${String(error)}`;
    }
  }
  if (!(await findChromium())) await installFromPlaywright();
  const installed = await findChromium();
  if (installed) return installed;
  const advice = isUbuntu()
    ? "Ubuntu's chromium package is a snap, which cannot be used here. Install Google Chrome, or run\n" +
      '  npx playwright-core install --with-deps chromium'
    : `Install it with\n  ${aptCommand(debianPackages)}`;
  throw new Error(
    `No Chromium or Chrome found. ${advice}\nor set CHROME_PATH to the program of one.${failure}`,
  );
}
