/** Debian and Ubuntu packages that the host needs, installed where this user may do so. */
import { readFileSync } from 'node:fs';
import { runQuietly, works } from './child.mjs';

export const isRoot = process.getuid?.() === 0;

/** @returns {boolean} Ubuntu's chromium packages only point at a snap */
export function isUbuntu() {
  try {
    return /^ID=ubuntu$/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/** @param {readonly string[]} packages @returns {string} the command for a person to type */
export function aptCommand(packages) {
  return `${isRoot ? '' : 'sudo '}apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/**
 * Installs packages as root, or through sudo where it asks for no password.
 * @param {readonly string[]} packages
 * @returns {Promise<boolean>} false when this user may not, or there is no apt-get
 * @throws {Error} with apt-get's output when the installation itself fails
 */
export async function installWithApt(packages) {
  if (!(await works('apt-get'))) return false;
  const prefix = isRoot ? [] : ['sudo', '-n'];
  if (!isRoot && !(await works('sudo', ['-n', 'true']))) return false;
  console.error(`Installing ${packages.join(', ')} with apt-get.`);
  // `env` and not our own environment: sudo drops that.
  const apt = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq'];
  const [command = 'env', ...args] = apt;
  // A failed update still leaves the lists there are, which may well do.
  await runQuietly(command, [...args, 'update'], { timeoutMs: 300_000 }).catch(() => '');
  await runQuietly(command, [...args, 'install', '-y', '--no-install-recommends', ...packages], {
    timeoutMs: 900_000,
  });
  return true;
}
